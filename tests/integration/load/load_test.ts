import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { SalesflowError } from "../../../lib/console/errors.ts";
import { load } from "../../../lib/load/load.ts";
import { migrate } from "../../../lib/migrate/migrate.ts";
import type { StageContext } from "../../../lib/pipeline/stage.ts";
import type { Store } from "../../../lib/store/store.ts";
import { publish } from "../../../lib/load/publish.ts";
import { openSource } from "../../../lib/load/source.ts";
import { fillStaging } from "../../../lib/load/staging.ts";
import {
  changeText,
  forgePart,
  IMPATIENT,
  manySales,
  Place,
  type Sale,
  TOTALS,
  totalsOf,
  writeRunFiles,
} from "../tables/harness.ts";

const OLD = manySales(300);
const NEW = manySales(700, { from: 200, cents: 7n });

/** The same store, with something done between the two halves of the first clean part that is read. */
function interrupted(store: Store, meanwhile: () => Promise<void>): Store {
  let done = false;
  const stream: Store["stream"] = async (path) => {
    if (done || !path.includes("/clean/")) return await store.stream(path);
    done = true;
    const bytes = await store.read(path, 0, (await store.size(path))!);
    const half = Math.floor(bytes.length / 2);
    async function* halves() {
      yield bytes.slice(0, half);
      await meanwhile();
      yield bytes.slice(half);
    }
    return ReadableStream.from(halves());
  };
  return new Proxy(store, {
    get(target, name) {
      if (name === "stream") return stream;
      const value = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

describe("load()", () => {
  let place: Place;
  const context = (runId: string, changes: Partial<StageContext> = {}) => place.context(runId, changes);
  const totals = async () => (await place.sql(TOTALS))[0]!.totals;

  beforeAll(async () => {
    place = await Place.open();
    await migrate(place.context("run"));
    await writeRunFiles(place.store, { runId: "old", parts: [OLD] });
    await writeRunFiles(place.store, {
      runId: "new",
      parts: [NEW.slice(0, 400), NEW.slice(400), []],
      rejected: [
        [0, 9, "malformed_row", 'a,"b""",,,\t\r,"'],
        [0, 702, "unknown_region", "5,6,7,8,2026-10-01,1.00,Центр — «юг»"],
        [1, 3, "missing_value", " \u00a0,,,,,,"],
      ],
      duplicates: 2,
      products: ['1,"Tea, ""green""",Food,1.00,20.50', "2,Кружка,Home,0.01,99999999.99"],
    });
  });
  afterAll(() => place.close());

  it("load() puts sales, rejected rows, catalogue and run in place, and the same again when it is run again", async () => {
    const look = () =>
      Promise.all([
        place.values("SELECT * FROM shop.sales ORDER BY sale_id"),
        place.values("SELECT * FROM shop.rejected_sales ORDER BY file, line"),
        place.values("SELECT * FROM shop.products ORDER BY product_id"),
        place.values(
          "SELECT run_id, as_of, source, clean_engine, raw_rows, clean_rows, duplicate_rows, rejected_rows FROM shop.pipeline_runs",
        ),
      ]);
    const result = await load(context("new"));
    assertEquals([result.rowsIn, result.rowsOut], [700, 700]);
    const [sales, rejected, products, runs] = await look();
    assertEquals(sales, NEW.map((sale) => sale.map(String)));
    assertEquals(rejected, [
      ["new", "part-00000.csv", "9", "malformed_row", 'a,"b""",,,\t\r,"'],
      ["new", "part-00000.csv", "702", "unknown_region", "5,6,7,8,2026-10-01,1.00,Центр — «юг»"],
      ["new", "part-00001.csv", "3", "missing_value", " \u00a0,,,,,,"],
    ]);
    assertEquals(products, [["1", 'Tea, "green"', "Food", "1.00", "20.50"], [
      "2",
      "Кружка",
      "Home",
      "0.01",
      "99999999.99",
    ]]);
    assertEquals(runs, [["new", "2026-11-24", "ingested", "native", "705", "700", "2", "3"]]);
    await load(context("new"));
    assertEquals(await look(), [sales, rejected, products, runs]);
    assertEquals(await place.leftovers(), []);
  });

  it("load() of a run without a catalogue keeps the one that is there, and names itself the newest", async () => {
    await load(context("new"));
    await place.sql("UPDATE shop.pipeline_runs SET loaded_at = now() + interval '1 day'"); // the clock was set back
    await load(context("old"));
    assertEquals(await place.values("SELECT count(*) FROM shop.products"), [["2"]]);
    assertEquals(await place.values("SELECT run_id FROM shop.pipeline_runs ORDER BY loaded_at DESC"), [[
      "old",
    ], ["new"]]);
    assertEquals(await totals(), totalsOf(OLD));
  });

  it("load() keeps grants, comments, views and added indexes of shop.sales", async () => {
    await place.sql("CREATE ROLE reader_of_sales");
    await place.sql("GRANT SELECT ON shop.sales TO reader_of_sales; COMMENT ON TABLE shop.sales IS 'ours'");
    await place.sql("CREATE VIEW shop.north AS SELECT * FROM shop.sales WHERE region = 'North'");
    await place.sql("CREATE INDEX by_date ON shop.sales (sale_date, lower(region)) WHERE quantity > 1");
    await load(context("new"));
    assertEquals(
      await place.values(
        "SELECT has_table_privilege('reader_of_sales', 'shop.sales', 'SELECT'), obj_description('shop.sales'::regclass)",
      ),
      [["t", "ours"]],
    );
    assertEquals(await place.values("SELECT count(*) FROM shop.north"), [["175"]]);
    const valid =
      "SELECT count(*), bool_and(indisvalid) FROM pg_index WHERE indrelid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'shop.sales'::regclass)";
    assertEquals(await place.values(valid), [["2", "t"]]);
    const attached = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'shop.by_date'::regclass";
    assertEquals(await place.values(attached), [["1"]]);
    await place.sql(
      "DROP INDEX shop.by_date; DROP VIEW shop.north; REVOKE ALL ON shop.sales FROM reader_of_sales",
    );
  });

  it("load() shows readers the old rows or the new ones, never none and never a mix", async () => {
    await load(context("old"));
    let loading = true;
    const seen = new Map<string, number>();
    const whole = [totalsOf(OLD), totalsOf(NEW)];
    const reader = (isolation: string) =>
      place.postgres(async (db) => {
        while (loading) {
          const [{ totals }, { totals: again }] = await db.transaction(async () => {
            // The snapshot is older than the look at the table.
            await db.query("SELECT count(*) FROM shop.pipeline_runs");
            return [await db.one(TOTALS), await db.one(TOTALS)];
          }, `BEGIN ISOLATION LEVEL ${isolation}`);
          seen.set(totals!, (seen.get(totals!) ?? 0) + 1);
          // After its first look a transaction holds the table: its second one sees the same.
          assertEquals(again, totals);
        }
      });
    const readers = [reader("READ COMMITTED"), reader("REPEATABLE READ"), reader("REPEATABLE READ")];
    for (let i = 0; i < 12; i++) await load(context(i % 2 === 0 ? "new" : "old"));
    loading = false;
    await Promise.all(readers);
    assertEquals([...seen.keys()].sort(), whole.sort());
  });

  it("load() is seen whole by a transaction whose snapshot is older than it", async () => {
    await load(context("old"));
    await place.postgres((db) =>
      db.transaction(async () => {
        await db.query("SELECT 1 FROM shop.pipeline_runs");
        await load(context("new"));
        assertEquals((await db.one(TOTALS)).totals, totalsOf(NEW));
      }, "BEGIN ISOLATION LEVEL REPEATABLE READ")
    );
  });

  it("load() gives up with exit code 75 when a reader never lets go; others read meanwhile, and nothing is left", async () => {
    await load(context("old"));
    await place.postgres((reader) =>
      reader.transaction(async () => {
        await reader.query(TOTALS);
        const loading = assertRejects(
          () => load(context("new"), { publishWaitMs: 600 }),
          SalesflowError,
          "salesflow test",
        );
        let settled = false;
        loading.finally(() => settled = true);
        while (!settled) assertEquals(await totals(), totalsOf(OLD));
        assertEquals((await loading).exitCode, 75);
      })
    );
    assertEquals(await totals(), totalsOf(OLD));
    assertEquals(await place.leftovers(), []);
    assertEquals(
      await place.values("SELECT run_id FROM shop.pipeline_runs ORDER BY loaded_at DESC LIMIT 1"),
      [["old"]],
    );
  });

  it("load() publishes as soon as a reader lets go", async () => {
    await load(context("old"));
    let loading: Promise<unknown> = Promise.resolve();
    await place.postgres((reader) =>
      reader.transaction(async () => {
        await reader.query(TOTALS);
        loading = load(context("new"));
        // Until load has shown itself waiting for the table.
        for (;;) {
          const [waiting] = await reader.query(
            "SELECT 1 FROM pg_locks WHERE relation = 'shop.sales'::regclass AND mode = 'AccessExclusiveLock'",
          );
          if (waiting) break;
        }
      })
    );
    await loading;
    assertEquals(await totals(), totalsOf(NEW));
  });

  it("load() run twice at once leaves one of them whole", async () => {
    await Promise.all([
      load(context("old")),
      load(context("new")),
      load(context("old")),
      load(context("new")),
    ]);
    const [newest] = await place.sql("SELECT run_id FROM shop.pipeline_runs ORDER BY loaded_at DESC LIMIT 1");
    assertEquals(await totals(), totalsOf(newest!.run_id === "old" ? OLD : NEW));
    assertEquals(await place.leftovers(), []);
  });

  it("load() is refused with exit code 75 while another one holds the lock for long", async () => {
    await place.postgres(async (db) => {
      await db.query("SELECT pg_advisory_lock(hashtextextended('salesflow:load', 0))");
      // Both limits may be the same: the lock's own must tell.
      const limits = { ...IMPATIENT, statementMs: IMPATIENT.lockWaitMs };
      const error = await assertRejects(
        () => load(context("new"), { limits }),
        SalesflowError,
        "salesflow test",
      );
      assertEquals(error.exitCode, 75);
    });
  });

  it("load() removes what a killed load left, and nothing else", async () => {
    await place.sql(
      "CREATE TABLE shop.sales_part_0123456789ab (LIKE shop.sales); CREATE TABLE shop.sales_part_ours (a integer)",
    );
    await load(context("old"));
    assertEquals(await place.leftovers(), ["sales_part_ours"]);
    await place.sql("DROP TABLE shop.sales_part_ours");
  });

  it("load() starts again when PostgreSQL ends its connection in the middle of COPY", async () => {
    await load(context("old"));
    const store = interrupted(place.store, async () => {
      await place.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'salesflow load'",
      );
    });
    await load(context("new", { store }), { limits: IMPATIENT });
    assertEquals(await totals(), totalsOf(NEW));
    assertEquals(await place.leftovers(), []);
  });

  it("load() ends with the reason when it is aborted in the middle of COPY, and changes nothing", async () => {
    await load(context("old"));
    const stop = new AbortController();
    const store = interrupted(place.store, () => {
      stop.abort(new SalesflowError("stopped", { exitCode: 75 }));
      return Promise.resolve();
    });
    await assertRejects(
      () => load(context("new", { store, signal: stop.signal })),
      SalesflowError,
      "stopped",
    );
    assertEquals(await totals(), totalsOf(OLD));
    await load(context("old"));
    assertEquals(await place.leftovers(), []);
    assertEquals(
      await place.values(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'salesflow%' AND application_name <> 'salesflow test'",
      ),
      [["0"]],
    );
  });

  it("load() does what it can at the limits of every column", async () => {
    const limits: Sale[] = [
      [
        "9223372036854775807",
        "9223372036854775807",
        2147483647,
        2147483647,
        "9999-12-31",
        "999999999999.99",
        "West",
      ],
      [1, 1, 1, 1, "0001-01-01", "0.01", "North"],
    ];
    await writeRunFiles(place.store, { runId: "limits", parts: [limits] });
    await load(context("limits"));
    assertEquals(
      await place.values("SELECT * FROM shop.sales ORDER BY sale_id DESC"),
      limits.map((sale) => sale.map(String)),
    );
  });

  it("load() takes a run without a single clean row", async () => {
    await writeRunFiles(place.store, { runId: "empty", parts: [], rejected: [[0, 2, "malformed_row", "x"]] });
    await load(context("empty"));
    assertEquals(await totals(), "0 0.00");
  });

  it("load() puts one savepoint before all its tries for the lock, and lets go of it", async () => {
    await writeRunFiles(place.store, { runId: "tries", parts: [OLD] });
    const source = await openSource(context("tries"));
    await place.postgres(async (reader) => {
      await reader.query("BEGIN");
      await reader.query("SELECT count(*) FROM shop.sales");
      const said: string[] = [];
      await place.postgres(async (db) => {
        const table = await fillStaging(db, source, () => {});
        const query = db.query.bind(db);
        db.query = async (text: string, values?: readonly unknown[]) => {
          if (/SAVEPOINT/.test(text)) said.push(text);
          // The reader goes before the fourth try.
          if (said.length === 4) await reader.query("ROLLBACK");
          return await query(text, values) as never;
        };
        await publish(db, source, table, 60_000);
      });
      const back = "ROLLBACK TO SAVEPOINT before_lock";
      assertEquals(said.slice(0, 4), ["SAVEPOINT before_lock", back, back, back]);
      assertEquals(said.filter((text) => text !== back).slice(1), ["RELEASE SAVEPOINT before_lock"]);
    });
  });

  it("load() is refused for another date than that of the files", async () => {
    await writeRunFiles(place.store, { runId: "dated", parts: [OLD] });
    const error = await assertRejects(
      () => load(context("dated", { asOf: "2026-11-17" })),
      SalesflowError,
      "raw/ of run dated is as of 2026-11-24, not 2026-11-17",
    );
    assertEquals(error.exitCode, 2);
    await place.store.remove("runs/dated/raw");
    await assertRejects(
      () => load(context("dated", { asOf: "2026-11-17" })),
      SalesflowError,
      "clean/ of run dated is as of 2026-11-24, not 2026-11-17",
    );
  });

  const damages: { name: string; says: string; damage: (runId: string) => Promise<void> }[] = [
    {
      name: "a clean part has other bytes than its manifest says",
      says: "is damaged",
      damage: async (runId) => {
        const path = `runs/${runId}/clean/part-00000.csv`;
        await place.store.writeText(path, (await place.store.readText(path))!.replace("North", "South"));
      },
    },
    {
      name: "a clean part has another length",
      says: "the manifest says",
      damage: async (runId) => {
        const path = `runs/${runId}/clean/part-00000.csv`;
        await place.store.writeText(path, (await place.store.readText(path))! + "\n");
      },
    },
    {
      name: "a part has fewer rows than its manifest says",
      says: "took 299 rows",
      damage: (runId) => forgePart(place.store, runId, "clean", (text) => text.replace(/^1,.*\n/m, "")),
    },
    {
      name: "a row breaks the table's rules",
      says: "sales_region_known",
      damage: (runId) => forgePart(place.store, runId, "clean", (text) => text.replace("North", "Nowhere")),
    },
    {
      name: "two rows have one sale_id",
      says: "(sale_id)=(1)",
      damage: (runId) => forgePart(place.store, runId, "clean", (text) => text.replace("\n2,", "\n1,")),
    },
    {
      name: "columns stand in another order",
      says: "customer_id",
      damage: (runId) =>
        forgePart(
          place.store,
          runId,
          "clean",
          (text) => text.replace("sale_id,customer_id", "customer_id,sale_id"),
        ),
    },
    {
      name: "raw/ was made anew after cleaning",
      says: "made from other data",
      damage: (runId) => forgePart(place.store, runId, "raw", (text) => text.replace("North", "south")),
    },
    {
      name: "the manifest's counts do not add up",
      says: "do not add up",
      damage: async (runId) => {
        const path = `runs/${runId}/clean/manifest.json`;
        const manifest = JSON.parse((await place.store.readText(path))!);
        manifest.facts.duplicates++;
        await place.store.writeText(path, JSON.stringify(manifest));
      },
    },
    {
      name: "the catalogue is not the one that was generated",
      says: "products.csv is damaged",
      damage: async (runId) => {
        const files = { runId, parts: [OLD], products: ["1,Tea,Food,1.00,2.00"] };
        await writeRunFiles(place.store, { ...files, source: "generated" });
        await changeText(place.store, `runs/${runId}/raw/products.csv`, (text) => text.replace("Tea", "Tee"));
      },
    },
    {
      name: "generated data has no catalogue",
      says: "There is no runs/damaged/raw/products.csv",
      damage: async (runId) => {
        await writeRunFiles(place.store, { runId, parts: [OLD], source: "generated" });
        await place.store.remove(`runs/${runId}/raw/products.csv`);
      },
    },
    {
      name: "clean/ is not there",
      says: "There is no clean data",
      damage: (runId) => place.store.remove(`runs/${runId}/clean`),
    },
  ];
  for (const { name, says, damage } of damages) {
    it(`load() refuses and publishes nothing when ${name}`, async () => {
      await load(context("new"));
      await writeRunFiles(place.store, { runId: "damaged", parts: [OLD] });
      await damage("damaged");
      const error = await assertRejects(() => load(context("damaged")), SalesflowError);
      assertStringIncludes(error.message, says);
      assertEquals(error.exitCode, 1);
      assert(error.remedy);
      assertEquals(await totals(), totalsOf(NEW));
      assertEquals(await place.leftovers(), []);
      assertEquals(await place.values("SELECT count(*) FROM shop.pipeline_runs WHERE run_id = 'damaged'"), [[
        "0",
      ]]);
    });
  }
});
