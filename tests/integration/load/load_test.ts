import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { SalesflowError } from "../../../lib/console/errors.ts";
import { load } from "../../../lib/load/load.ts";
import { migrate } from "../../../lib/migrate/migrate.ts";
import type { StageContext } from "../../../lib/pipeline/stage.ts";
import type { Store } from "../../../lib/store/store.ts";
import {
  changeText,
  forgePart,
  formatTotals,
  makeSales,
  type Sale,
  SELECT_TOTALS,
  SHORT_LIMITS,
  Testbed,
  writeRunFiles,
} from "../tables/harness.ts";

const OLD = makeSales(300);
const NEW = makeSales(700, { from: 200, cents: 7n });

/** Returns a store that calls `interrupt` in the middle of the first clean part that is read. */
function withInterruption(store: Store, interrupt: () => Promise<void>): Store {
  let done = false;
  const stream: Store["stream"] = async (path) => {
    if (done || !path.includes("/clean/")) return await store.stream(path);
    done = true;
    const bytes = await store.read(path, 0, (await store.size(path))!);
    const half = Math.floor(bytes.length / 2);
    async function* halves() {
      yield bytes.slice(0, half);
      await interrupt();
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
  let testbed: Testbed;
  const context = (runId: string, changes: Partial<StageContext> = {}) => testbed.context(runId, changes);
  const totals = async () => (await testbed.sql(SELECT_TOTALS))[0]!.totals;

  beforeAll(async () => {
    testbed = await Testbed.open();
    await migrate(testbed.context("run"));
    await writeRunFiles(testbed.store, { runId: "old", parts: [OLD] });
    await writeRunFiles(testbed.store, {
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
  afterAll(() => testbed.close());

  it("load() stores sales, rejected rows, catalogue and run, and the same again when it is repeated", async () => {
    const readTables = () =>
      Promise.all([
        testbed.values("SELECT * FROM shop.sales ORDER BY sale_id"),
        testbed.values("SELECT * FROM shop.rejected_sales ORDER BY file, line"),
        testbed.values("SELECT * FROM shop.products ORDER BY product_id"),
        testbed.values(
          "SELECT run_id, as_of, source, clean_engine, raw_rows, clean_rows, duplicate_rows, rejected_rows FROM shop.pipeline_runs",
        ),
      ]);
    const result = await load(context("new"));
    assertEquals([result.rowsIn, result.rowsOut], [700, 700]);
    const [sales, rejected, products, runs] = await readTables();
    assertEquals(sales, NEW.map((sale) => sale.map(String)));
    assertEquals(rejected, [
      ["new", "part-00000.csv", "9", "malformed_row", 'a,"b""",,,\t\r,"'],
      ["new", "part-00000.csv", "702", "unknown_region", "5,6,7,8,2026-10-01,1.00,Центр — «юг»"],
      ["new", "part-00001.csv", "3", "missing_value", " \u00a0,,,,,,"],
    ]);
    assertEquals(products, [
      ["1", 'Tea, "green"', "Food", "1.00", "20.50", null],
      ["2", "Кружка", "Home", "0.01", "99999999.99", null],
    ]);
    assertEquals(runs, [["new", "2026-11-24", "ingested", "native", "705", "700", "2", "3"]]);
    await load(context("new"));
    assertEquals(await readTables(), [sales, rejected, products, runs]);
    assertEquals(await testbed.findStagingTables(), []);
  });

  it("load() keeps the catalogue when the run has none, and records its run as the newest", async () => {
    await load(context("new"));
    await testbed.sql("UPDATE shop.pipeline_runs SET loaded_at = now() + interval '1 day'"); // as if the clock was set back
    await load(context("old"));
    assertEquals(await testbed.values("SELECT count(*) FROM shop.products"), [["2"]]);
    assertEquals(await testbed.values("SELECT run_id FROM shop.pipeline_runs ORDER BY loaded_at DESC"), [[
      "old",
    ], ["new"]]);
    assertEquals(await totals(), formatTotals(OLD));
  });

  it("load() keeps grants, comments, views and added indexes of shop.sales", async () => {
    await testbed.sql("CREATE ROLE reader_of_sales");
    await testbed.sql("GRANT SELECT ON shop.sales TO reader_of_sales; COMMENT ON TABLE shop.sales IS 'ours'");
    await testbed.sql("CREATE VIEW shop.north AS SELECT * FROM shop.sales WHERE region = 'North'");
    await testbed.sql("CREATE INDEX by_date ON shop.sales (sale_date, lower(region)) WHERE quantity > 1");
    await load(context("new"));
    assertEquals(
      await testbed.values(
        "SELECT has_table_privilege('reader_of_sales', 'shop.sales', 'SELECT'), obj_description('shop.sales'::regclass)",
      ),
      [["t", "ours"]],
    );
    assertEquals(await testbed.values("SELECT count(*) FROM shop.north"), [["175"]]);
    const valid =
      "SELECT count(*), bool_and(indisvalid) FROM pg_index WHERE indrelid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'shop.sales'::regclass)";
    assertEquals(await testbed.values(valid), [["2", "t"]]);
    const attached = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'shop.by_date'::regclass";
    assertEquals(await testbed.values(attached), [["1"]]);
    await testbed.sql(
      "DROP INDEX shop.by_date; DROP VIEW shop.north; REVOKE ALL ON shop.sales FROM reader_of_sales",
    );
  });

  it("load() shows readers either the old rows or the new ones, never none and never a mix", async () => {
    await load(context("old"));
    let loading = true;
    const seen = new Map<string, number>();
    const whole = [formatTotals(OLD), formatTotals(NEW)];
    const reader = (isolation: string) =>
      testbed.postgres(async (db) => {
        while (loading) {
          const [{ totals }, { totals: again }] = await db.transaction(async () => {
            // Takes the snapshot before shop.sales is read.
            await db.query("SELECT count(*) FROM shop.pipeline_runs");
            return [await db.one(SELECT_TOTALS), await db.one(SELECT_TOTALS)];
          }, `BEGIN ISOLATION LEVEL ${isolation}`);
          seen.set(totals!, (seen.get(totals!) ?? 0) + 1);
          // The first read locks the table, so the second one returns the same.
          assertEquals(again, totals);
        }
      });
    const readers = [reader("READ COMMITTED"), reader("REPEATABLE READ"), reader("REPEATABLE READ")];
    for (let i = 0; i < 12; i++) await load(context(i % 2 === 0 ? "new" : "old"));
    loading = false;
    await Promise.all(readers);
    assertEquals([...seen.keys()].sort(), whole.sort());
  });

  it("load() is visible as a whole to a transaction with an older snapshot", async () => {
    await load(context("old"));
    await testbed.postgres((db) =>
      db.transaction(async () => {
        await db.query("SELECT 1 FROM shop.pipeline_runs");
        await load(context("new"));
        assertEquals((await db.one(SELECT_TOTALS)).totals, formatTotals(NEW));
      }, "BEGIN ISOLATION LEVEL REPEATABLE READ")
    );
  });

  it("load() fails with exit code 75 when a reader does not finish, blocks no other reader, and leaves nothing behind", async () => {
    await load(context("old"));
    await testbed.postgres((reader) =>
      reader.transaction(async () => {
        await reader.query(SELECT_TOTALS);
        const loading = assertRejects(
          () => load(context("new"), { publishTimeoutMs: 600 }),
          SalesflowError,
          "salesflow test",
        );
        let settled = false;
        loading.finally(() => settled = true);
        while (!settled) assertEquals(await totals(), formatTotals(OLD));
        assertEquals((await loading).exitCode, 75);
      })
    );
    assertEquals(await totals(), formatTotals(OLD));
    assertEquals(await testbed.findStagingTables(), []);
    assertEquals(
      await testbed.values("SELECT run_id FROM shop.pipeline_runs ORDER BY loaded_at DESC LIMIT 1"),
      [["old"]],
    );
  });

  it("load() publishes as soon as a reader finishes", async () => {
    await load(context("old"));
    let loading: Promise<unknown> = Promise.resolve();
    await testbed.postgres((reader) =>
      reader.transaction(async () => {
        await reader.query(SELECT_TOTALS);
        loading = load(context("new"));
        // Waits until load has tried to lock the table.
        for (;;) {
          const [waiting] = await reader.query(
            "SELECT 1 FROM pg_locks WHERE relation = 'shop.sales'::regclass AND mode = 'AccessExclusiveLock'",
          );
          if (waiting) break;
        }
      })
    );
    await loading;
    assertEquals(await totals(), formatTotals(NEW));
  });

  it("load() run concurrently leaves exactly one of the runs", async () => {
    await Promise.all([
      load(context("old")),
      load(context("new")),
      load(context("old")),
      load(context("new")),
    ]);
    const [newest] = await testbed.sql(
      "SELECT run_id FROM shop.pipeline_runs ORDER BY loaded_at DESC LIMIT 1",
    );
    assertEquals(await totals(), formatTotals(newest!.run_id === "old" ? OLD : NEW));
    assertEquals(await testbed.findStagingTables(), []);
  });

  it("load() fails with exit code 75 when another load holds the lock too long", async () => {
    await testbed.postgres(async (db) => {
      await db.query("SELECT pg_advisory_lock(hashtextextended('salesflow:load', 0))");
      // With equal timeouts the lock timeout must still come first.
      const limits = { ...SHORT_LIMITS, statementTimeoutMs: SHORT_LIMITS.lockTimeoutMs };
      const error = await assertRejects(
        () => load(context("new"), { limits }),
        SalesflowError,
        "salesflow test",
      );
      assertEquals(error.exitCode, 75);
    });
  });

  it("load() retries when PostgreSQL closes its connection during COPY", async () => {
    await load(context("old"));
    const store = withInterruption(testbed.store, async () => {
      await testbed.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'salesflow load'",
      );
    });
    await load(context("new", { store }), { limits: SHORT_LIMITS });
    assertEquals(await totals(), formatTotals(NEW));
    assertEquals(await testbed.findStagingTables(), []);
  });

  it("load() throws the signal's reason when it is aborted during COPY, and changes nothing", async () => {
    await load(context("old"));
    const stop = new AbortController();
    const store = withInterruption(testbed.store, () => {
      stop.abort(new SalesflowError("stopped", { exitCode: 75 }));
      return Promise.resolve();
    });
    await assertRejects(
      () => load(context("new", { store, signal: stop.signal })),
      SalesflowError,
      "stopped",
    );
    assertEquals(await totals(), formatTotals(OLD));
    await load(context("old"));
    assertEquals(await testbed.findStagingTables(), []);
    assertEquals(
      await testbed.values(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'salesflow%' AND application_name <> 'salesflow test'",
      ),
      [["0"]],
    );
  });

  it("load() stores the smallest and largest value of every column", async () => {
    const limits: Sale[] = [
      [
        "9223372036854775807",
        "9223372036854775807",
        "9223372036854775807",
        2147483647,
        "9999-12-31",
        "999999999999.99",
        "West",
      ],
      [1, 1, 1, 1, "0001-01-01", "0.01", "North"],
    ];
    await writeRunFiles(testbed.store, { runId: "limits", parts: [limits] });
    await load(context("limits"));
    assertEquals(
      await testbed.values("SELECT * FROM shop.sales ORDER BY sale_id DESC"),
      limits.map((sale) => sale.map(String)),
    );
  });

  it("load() accepts a run without clean rows", async () => {
    await writeRunFiles(testbed.store, {
      runId: "empty",
      parts: [],
      rejected: [[0, 2, "malformed_row", "x"]],
    });
    await load(context("empty"));
    assertEquals(await totals(), "0 0.00");
  });

  it("load() fails with exit code 2 for an as-of date other than the files'", async () => {
    await writeRunFiles(testbed.store, { runId: "dated", parts: [OLD] });
    const error = await assertRejects(
      () => load(context("dated", { asOf: "2026-11-17" })),
      SalesflowError,
      "raw/ of run dated is as of 2026-11-24, not 2026-11-17",
    );
    assertEquals(error.exitCode, 2);
    await testbed.store.remove("runs/dated/raw");
    await assertRejects(
      () => load(context("dated", { asOf: "2026-11-17" })),
      SalesflowError,
      "clean/ of run dated is as of 2026-11-24, not 2026-11-17",
    );
  });

  const faults: { name: string; message: string; damage: (runId: string) => Promise<void> }[] = [
    {
      name: "a clean part has another checksum than its manifest",
      message: "is damaged",
      damage: async (runId) => {
        const path = `runs/${runId}/clean/part-00000.csv`;
        await testbed.store.writeText(path, (await testbed.store.readText(path))!.replace("North", "South"));
      },
    },
    {
      name: "a clean part has another length",
      message: "the manifest says",
      damage: async (runId) => {
        const path = `runs/${runId}/clean/part-00000.csv`;
        await testbed.store.writeText(path, (await testbed.store.readText(path))! + "\n");
      },
    },
    {
      name: "a part has fewer rows than its manifest",
      message: "copied 299 rows",
      damage: (runId) => forgePart(testbed.store, runId, "clean", (text) => text.replace(/^1,.*\n/m, "")),
    },
    {
      name: "a row violates a constraint of the table",
      message: "sales_region_known",
      damage: (runId) => forgePart(testbed.store, runId, "clean", (text) => text.replace("North", "Nowhere")),
    },
    {
      name: "two rows have the same sale_id",
      message: "(sale_id)=(1)",
      damage: (runId) => forgePart(testbed.store, runId, "clean", (text) => text.replace("\n2,", "\n1,")),
    },
    {
      name: "columns are in another order",
      message: "customer_id",
      damage: (runId) =>
        forgePart(
          testbed.store,
          runId,
          "clean",
          (text) => text.replace("sale_id,customer_id", "customer_id,sale_id"),
        ),
    },
    {
      name: "raw/ was written again after clean",
      message: "made from different data",
      damage: (runId) => forgePart(testbed.store, runId, "raw", (text) => text.replace("North", "south")),
    },
    {
      name: "the manifest's counts do not add up",
      message: "do not add up",
      damage: async (runId) => {
        const path = `runs/${runId}/clean/manifest.json`;
        const manifest = JSON.parse((await testbed.store.readText(path))!);
        manifest.facts.duplicates++;
        await testbed.store.writeText(path, JSON.stringify(manifest));
      },
    },
    {
      name: "the catalogue is not the generated one",
      message: "products.csv is damaged",
      damage: async (runId) => {
        const files = { runId, parts: [OLD], products: ["1,Tea,Food,1.00,2.00"] };
        await writeRunFiles(testbed.store, { ...files, source: "generated" });
        await changeText(
          testbed.store,
          `runs/${runId}/raw/products.csv`,
          (text) => text.replace("Tea", "Tee"),
        );
      },
    },
    {
      name: "generated data has no catalogue",
      message: "There is no runs/damaged/raw/products.csv",
      damage: async (runId) => {
        await writeRunFiles(testbed.store, { runId, parts: [OLD], source: "generated" });
        await testbed.store.remove(`runs/${runId}/raw/products.csv`);
      },
    },
    {
      name: "clean/ is missing",
      message: "There is no clean data",
      damage: (runId) => testbed.store.remove(`runs/${runId}/clean`),
    },
  ];
  for (const { name, message, damage } of faults) {
    it(`load() fails and publishes nothing when ${name}`, async () => {
      await load(context("new"));
      await writeRunFiles(testbed.store, { runId: "damaged", parts: [OLD] });
      await damage("damaged");
      const error = await assertRejects(() => load(context("damaged")), SalesflowError);
      assertStringIncludes(error.message, message);
      assertEquals(error.exitCode, 1);
      assert(error.remedy);
      assertEquals(await totals(), formatTotals(NEW));
      assertEquals(await testbed.findStagingTables(), []);
      assertEquals(await testbed.values("SELECT count(*) FROM shop.pipeline_runs WHERE run_id = 'damaged'"), [
        [
          "0",
        ],
      ]);
    });
  }
});
