import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { aggregate } from "../../../lib/aggregate/aggregate.ts";
import { SalesflowError } from "../../../lib/console/errors.ts";
import { load } from "../../../lib/load/load.ts";
import { migrate } from "../../../lib/migrate/migrate.ts";
import { transfer } from "../../../lib/transfer/transfer.ts";
import { verify } from "../../../lib/verify/verify.ts";
import {
  changeText,
  forgePart,
  IMPATIENT,
  manySales,
  Place,
  type RunFiles,
  writeRunFiles,
} from "../tables/harness.ts";

const RUN: RunFiles = {
  runId: "run",
  source: "generated",
  parts: [manySales(120), manySales(80, { from: 121, cents: 3n })],
  rejected: [
    [0, 5, "malformed_row", 'broken "row, with ""quotes""'],
    [0, 9, "unknown_region", "77,1,1,1,2026-10-01,1.00,Центр"],
  ],
  duplicates: 3,
  products: [
    '1,"Tea, ""green""",Food,1.00,20.50',
    "2,Кружка,Home,0.01,99999999.99",
    "10,Lamp,Home,3.00,4.00",
  ],
};

/** Something that must not go unnoticed. */
interface Tampering {
  name: string;
  /** What the error must say: the check, and where it can be named, the row. */
  says: string[];
  tamper: (place: Place) => Promise<unknown>;
  /** The error is not about a difference: something cannot be read at all. */
  unreadable?: boolean;
}

const SALES = "checksum: clean/ = shop.sales";
const AGGREGATES = "aggregates recounted from shop.sales = shop.sales_aggregates";
const CLICKHOUSE = "content: shop.sales_aggregates of PostgreSQL = ClickHouse";
const REJECTED = "content: rejected/ = shop.rejected_sales";
const clean = (place: Place, change: (text: string) => string) =>
  forgePart(place.store, "run", "clean", change);

const TAMPERINGS: Tampering[] = [
  {
    name: "one kopeck in shop.sales",
    says: [SALES, "sale_amount: clean/ = shop.sales", "sale_id 17", AGGREGATES],
    tamper: (place) => place.sql("UPDATE shop.sales SET sale_amount = sale_amount + 0.01 WHERE sale_id = 17"),
  },
  {
    name: "a row deleted from shop.sales",
    says: ["rows: clean/ = shop.sales", "sale_id 18", "no such row"],
    tamper: (place) => place.sql("DELETE FROM shop.sales WHERE sale_id = 18"),
  },
  {
    name: "a row added to shop.sales",
    says: ["rows: clean/ = shop.sales", "sale_id 100000"],
    tamper: (place) =>
      place.sql("INSERT INTO shop.sales VALUES (100000, 1, 1, 1, '2026-10-01', 1.00, 'North')"),
  },
  {
    name: "another customer in one row",
    says: [SALES, "sale_id 20"],
    tamper: (place) => place.sql("UPDATE shop.sales SET customer_id = customer_id + 1 WHERE sale_id = 20"),
  },
  {
    name: "another date in one row",
    says: [SALES, "sale_id 21"],
    tamper: (place) => place.sql("UPDATE shop.sales SET sale_date = sale_date - 1 WHERE sale_id = 21"),
  },
  {
    name: "customers of two rows exchanged, so that all sums stay",
    says: [SALES, "sale_id 30", "sale_id 31"],
    tamper: (place) =>
      place.sql(
        "UPDATE shop.sales s SET customer_id = o.customer_id FROM shop.sales o WHERE (s.sale_id, o.sale_id) IN ((30, 31), (31, 30))",
      ),
  },
  {
    name: "amounts of two rows exchanged, so that all sums stay",
    says: [SALES, "sale_id 40", "sale_id 44"],
    // Both of one region and of different products.
    tamper: (place) =>
      place.sql(
        "UPDATE shop.sales s SET sale_amount = o.sale_amount FROM shop.sales o WHERE (s.sale_id, o.sale_id) IN ((40, 44), (44, 40))",
      ),
  },
  {
    name: "one kopeck moved between two rows of one group",
    says: [SALES, "sale_id 1:", "sale_id 101"],
    tamper: (place) =>
      place.sql(
        "UPDATE shop.sales SET sale_amount = sale_amount + CASE sale_id WHEN 1 THEN 0.01 ELSE -0.01 END WHERE sale_id IN (1, 101)",
      ),
  },
  {
    name: "one kopeck in a stored aggregate",
    says: [AGGREGATES, "region East 0", CLICKHOUSE],
    tamper: (place) =>
      place.sql(
        "UPDATE shop.sales_aggregates SET total_amount = total_amount + 0.01 WHERE level = 'region' AND region = 'East'",
      ),
  },
  {
    name: "the same kopeck in both databases' aggregates",
    says: [AGGREGATES, "region East 0"],
    tamper: async (place) => {
      await place.sql(
        "UPDATE shop.sales_aggregates SET total_amount = total_amount + 0.01 WHERE level = 'region' AND region = 'East'",
      );
      await transfer(place.context("run"));
    },
  },
  {
    name: "a share in the last digit",
    says: [AGGREGATES, "product All 3"],
    tamper: (place) =>
      place.sql(
        "UPDATE shop.sales_aggregates SET cumulative_share = cumulative_share - 0.000001 WHERE level = 'product' AND product_id = 3",
      ),
  },
  {
    name: "two ranks exchanged",
    says: [AGGREGATES],
    tamper: (place) =>
      place.sql(
        "UPDATE shop.sales_aggregates SET amount_rank = 3 - amount_rank WHERE level = 'region' AND amount_rank < 3",
      ),
  },
  {
    name: "an aggregate row missing",
    says: [`rows: ${AGGREGATES}`, "no such row"],
    tamper: (place) =>
      place.sql("DELETE FROM shop.sales_aggregates WHERE level = 'region_product' AND product_id = 4"),
  },
  {
    name: "an aggregate row too many",
    says: [`rows: ${AGGREGATES}`, "product All 999"],
    tamper: (place) =>
      place.sql(
        "INSERT INTO shop.sales_aggregates VALUES ('product', 'All', 999, 1, 1, 1, 1, 0, 1, 1, 'run')",
      ),
  },
  {
    name: "aggregates of another run",
    says: [AGGREGATES],
    tamper: (place) => place.sql("UPDATE shop.sales_aggregates SET run_id = 'other'"),
  },
  {
    name: "the text of a rejected row",
    says: [REJECTED, "part-00000.csv 9"],
    tamper: (place) => place.sql("UPDATE shop.rejected_sales SET raw = raw || ' ' WHERE line = 9"),
  },
  {
    name: "the reason of a rejected row",
    says: [REJECTED, "reasons: clean/manifest.json = shop.rejected_sales"],
    tamper: (place) => place.sql("UPDATE shop.rejected_sales SET reason = 'invalid_date' WHERE line = 9"),
  },
  {
    name: "a rejected row missing",
    says: [REJECTED, "part-00000.csv 5"],
    tamper: (place) => place.sql("DELETE FROM shop.rejected_sales WHERE line = 5"),
  },
  {
    name: "the run's counts",
    says: ["facts: clean/manifest.json = shop.pipeline_runs"],
    tamper: (place) =>
      place.sql("UPDATE shop.pipeline_runs SET raw_rows = raw_rows + 1, duplicate_rows = duplicate_rows + 1"),
  },
  {
    name: "the run's counts by reason",
    says: ["reasons: clean/manifest.json = shop.pipeline_runs", "unknown_region 2"],
    tamper: (place) =>
      place.sql(
        `UPDATE shop.pipeline_runs SET rejected_by_reason = rejected_by_reason || '{"unknown_region": 2}'`,
      ),
  },
  {
    name: "where the run's data came from",
    says: ["source: raw/manifest.json = shop.pipeline_runs", "ingested"],
    tamper: (place) => place.sql("UPDATE shop.pipeline_runs SET source = 'ingested'"),
  },
  ...(["raw", "clean", "rejected"] as const).map((dataset) => ({
    name: `${dataset}/ as of another date`,
    says: [`as of: the run = ${dataset}/manifest.json`, "2026-11-17"],
    tamper: ({ store }: Place) =>
      changeText(
        store,
        `runs/run/${dataset}/manifest.json`,
        (text) => text.replace('"as_of": "2026-11-24"', '"as_of": "2026-11-17"'),
      ),
  })),
  {
    name: "one kopeck more that cleaning made of an amount, loaded and aggregated like all others",
    says: ["sale_amount: generated sales = clean/", "1 of"],
    tamper: async (place) => {
      await clean(place, (text) => text.replace(",0.07,", ",0.08,"));
      for (const stage of [load, aggregate, transfer]) await stage(place.context("run"));
    },
  },
  {
    name: "one piece more that cleaning made of a quantity, loaded and aggregated like all others",
    says: ["quantity: generated sales = clean/", "1 of"],
    tamper: async (place) => {
      await clean(place, (text) => text.replace(/^7,(\d+),(\d+),2,/m, "7,$1,$2,3,"));
      for (const stage of [load, aggregate, transfer]) await stage(place.context("run"));
    },
  },
  {
    name: "another name in the catalogue's file",
    says: ["checksum: raw/manifest.json = raw/products.csv", "content: raw/products.csv = shop.products"],
    tamper: ({ store }) =>
      changeText(store, "runs/run/raw/products.csv", (text) => text.replace("Lamp", "Lump")),
  },
  {
    name: "that generated data has lost its catalogue",
    says: ["file: raw/products.csv of generated data"],
    tamper: ({ store }) => store.remove("runs/run/raw/products.csv"),
  },
  {
    name: "a price in the catalogue",
    says: ["content: raw/products.csv = shop.products", "Lamp"],
    tamper: (place) => place.sql("UPDATE shop.products SET price_to = 4.01 WHERE product_id = 10"),
  },
  {
    name: "one kopeck in ClickHouse",
    says: [CLICKHOUSE, "total All 0"],
    tamper: (place) =>
      place.clickhouse(
        "ALTER TABLE shop.sales_aggregates UPDATE total_amount = total_amount + 0.01 WHERE level = 'total' SETTINGS mutations_sync = 2",
      ),
  },
  {
    name: "a row missing in ClickHouse",
    says: [CLICKHOUSE, "region West 0", "no such row"],
    tamper: (place) =>
      place.clickhouse(
        "ALTER TABLE shop.sales_aggregates DELETE WHERE level = 'region' AND region = 'West' SETTINGS mutations_sync = 2",
      ),
  },
  {
    name: "a row twice in ClickHouse",
    says: [CLICKHOUSE, "region South 0"],
    tamper: (place) =>
      place.clickhouse(
        "INSERT INTO shop.sales_aggregates SELECT * FROM shop.sales_aggregates WHERE level = 'region' AND region = 'South'",
      ),
  },
  {
    name: "the date missing in ClickHouse",
    says: [CLICKHOUSE, "0 rows"],
    tamper: (place) => place.clickhouse("ALTER TABLE shop.sales_aggregates DROP PARTITION '2026-11-24'"),
  },
  {
    name: "one kopeck in a clean part",
    says: ["clean/part-00000.csv: manifest = file", SALES, "sale_id 7"],
    tamper: async ({ store }) => {
      const path = "runs/run/clean/part-00000.csv";
      await store.writeText(path, (await store.readText(path))!.replace(",0.07,", ",0.08,"));
    },
  },
  {
    name: "one kopeck in a clean part, with a manifest that fits",
    says: [SALES, "sale_amount: clean/ = shop.sales", "sale_id 7"],
    tamper: (place) => clean(place, (text) => text.replace(",0.07,", ",0.08,")),
  },
  {
    name: "a row less in a clean part",
    says: ["rows: clean/manifest.json = clean/ recounted", "rows: raw/ = clean/ + duplicates + rejected/"],
    tamper: (place) => clean(place, (text) => text.replace(/^7,.*\n/m, "")),
  },
  {
    name: "a row in a clean part that is not canonical",
    says: ["is not canonical at line 8"],
    tamper: (place) => clean(place, (text) => text.replace(",0.07,", ",0.7,")),
    unreadable: true,
  },
  {
    name: "a row more in raw/",
    says: ["rows: raw/manifest.json = raw/ recounted"],
    tamper: (place) => forgePart(place.store, "run", "raw", (text) => text + "one,more\n"),
  },
  {
    name: "other raw data than what was cleaned",
    says: ["fingerprint: raw/ = the input of clean/"],
    tamper: (place) => forgePart(place.store, "run", "raw", (text) => text.replace("North", "south")),
  },
  {
    name: "defects that cleaning did not find",
    says: ["rows: injected defects = found by clean", "unknown_region 2"],
    tamper: async ({ store }) => {
      const path = "runs/run/raw/manifest.json";
      await store.writeText(
        path,
        (await store.readText(path))!.replace('"unknown_region": 1', '"unknown_region": 2'),
      );
    },
  },
  {
    name: "a rejected part changed",
    says: ["rejected/part-00000.csv: manifest = file", REJECTED],
    tamper: async ({ store }) => {
      const path = "runs/run/rejected/part-00000.csv";
      await store.writeText(path, (await store.readText(path))!.replace("Центр", "центр"));
    },
  },
  {
    name: "a raw part removed",
    says: ["raw/part-00001.csv holds no bytes"],
    tamper: ({ store }) => store.remove("runs/run/raw/part-00001.csv"),
    unreadable: true,
  },
];

describe("verify()", () => {
  let place: Place;
  beforeAll(async () => {
    place = await Place.open();
    await migrate(place.context("run"));
  });
  afterAll(() => place.close());

  async function whole(): Promise<void> {
    await writeRunFiles(place.store, RUN);
    await load(place.context("run"));
    await aggregate(place.context("run"));
    await transfer(place.context("run"));
  }

  it("verify() passes a whole run and says what it compared", async () => {
    await whole();
    const { rowsIn, rowsOut, facts } = await verify(place.context("run"));
    assertEquals([rowsIn, rowsOut], [205, 200]);
    const checks = facts.checks as { name: string; left: string; right: string; ok: boolean }[];
    assert(checks.length >= 18 && checks.every(({ ok, left, right }) => ok && left === right && left !== ""));
    assertEquals(new Set(checks.map(({ name }) => name)).size, checks.length);
  });

  it("verify() passes a run that has neither sales nor a catalogue", async () => {
    await writeRunFiles(place.store, { runId: "empty", parts: [], rejected: [[0, 2, "malformed_row", "x"]] });
    for (const stage of [load, aggregate, transfer, verify]) await stage(place.context("empty"));
  });

  it("verify() refuses to compare with another run's tables", async () => {
    await whole();
    await writeRunFiles(place.store, { runId: "second", parts: [manySales(3)] });
    await load(place.context("second"));
    await assertRejects(() => verify(place.context("run")), SalesflowError, "holds the rows of run second");
  });

  it("verify() passes generated data of a time without sums and checksum of the catalogue", async () => {
    await whole();
    await changeText(place.store, "runs/run/raw/manifest.json", (text) => {
      const manifest = JSON.parse(text);
      delete manifest.facts.sums;
      delete manifest.facts.products_sha256;
      return JSON.stringify(manifest);
    });
    for (const stage of [load, aggregate, transfer, verify]) await stage(place.context("run"));
  });

  it("verify() reads no more files when a database has failed", async () => {
    await whole();
    let open = 0;
    const opened = Promise.withResolvers<void>();
    // Gives two bytes, then nothing: a store that has fallen silent.
    const stream = () =>
      Promise.resolve(
        new ReadableStream<Uint8Array<ArrayBuffer>>({
          start(controller) {
            open++;
            controller.enqueue(new TextEncoder().encode("x\n"));
            opened.resolve();
          },
          cancel() {
            open--;
          },
        }),
      );
    const store = new Proxy(place.store, {
      get(target, name) {
        if (name === "stream") return stream;
        const value = Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const hangUp = (async () => {
      const connection = await listener.accept();
      await opened.promise;
      connection.close();
    })();
    const postgresUrl = `postgres://nobody@127.0.0.1:${
      (listener.addr as Deno.NetAddr).port
    }/none?sslmode=disable`;
    const limits = { ...IMPATIENT, retries: 0 };
    let late = false;
    const progress = () => late = true;
    await assertRejects(
      () => verify(place.context("run", { store, postgresUrl, progress }), { limits }),
      SalesflowError,
      "cannot be reached",
    );
    await hangUp;
    assertEquals([open, late], [0, false]);
  });

  for (const { name, says, tamper, unreadable } of TAMPERINGS) {
    it(`verify() notices ${name}`, async () => {
      await whole();
      await tamper(place);
      const error = await assertRejects(() => verify(place.context("run")), SalesflowError);
      for (const part of says) assertStringIncludes(error.message, part);
      if (!unreadable) assertStringIncludes(error.message, "checks failed for run run");
      assertEquals(error.exitCode, 1);
      assert(error.remedy);
    });
  }
});
