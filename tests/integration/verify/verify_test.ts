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
  makeSales,
  type RunFiles,
  SHORT_LIMITS,
  Testbed,
  writeRunFiles,
} from "../tables/harness.ts";

const RUN: RunFiles = {
  runId: "run",
  source: "generated",
  parts: [makeSales(120), makeSales(80, { from: 121, cents: 3n })],
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

/** A change that verify() must detect. */
interface Tampering {
  name: string;
  /** Parts of the error message: the failed check and, if possible, the row. */
  message: string[];
  tamper: (testbed: Testbed) => Promise<unknown>;
  /** Whether verify() fails because it cannot read a file, not because of a difference. */
  unreadable?: boolean;
}

const SALES = "checksum: clean/ = shop.sales";
const AGGREGATES = "aggregates recounted from shop.sales = shop.sales_aggregates";
const CLICKHOUSE = "content: shop.sales_aggregates of PostgreSQL = ClickHouse";
const REJECTED = "content: rejected/ = shop.rejected_sales";
const clean = (testbed: Testbed, change: (text: string) => string) =>
  forgePart(testbed.store, "run", "clean", change);

const TAMPERINGS: Tampering[] = [
  {
    name: "one kopeck in shop.sales",
    message: [SALES, "sale_amount: clean/ = shop.sales", "sale_id 17", AGGREGATES],
    tamper: (testbed) =>
      testbed.sql("UPDATE shop.sales SET sale_amount = sale_amount + 0.01 WHERE sale_id = 17"),
  },
  {
    name: "a row deleted from shop.sales",
    message: ["rows: clean/ = shop.sales", "sale_id 18", "no such row"],
    tamper: (testbed) => testbed.sql("DELETE FROM shop.sales WHERE sale_id = 18"),
  },
  {
    name: "a row added to shop.sales",
    message: ["rows: clean/ = shop.sales", "sale_id 100000"],
    tamper: (testbed) =>
      testbed.sql("INSERT INTO shop.sales VALUES (100000, 1, 1, 1, '2026-10-01', 1.00, 'North')"),
  },
  {
    name: "a different customer in one row",
    message: [SALES, "sale_id 20"],
    tamper: (testbed) =>
      testbed.sql("UPDATE shop.sales SET customer_id = customer_id + 1 WHERE sale_id = 20"),
  },
  {
    name: "a different date in one row",
    message: [SALES, "sale_id 21"],
    tamper: (testbed) => testbed.sql("UPDATE shop.sales SET sale_date = sale_date - 1 WHERE sale_id = 21"),
  },
  {
    name: "customers swapped between two rows, with all sums unchanged",
    message: [SALES, "sale_id 30", "sale_id 31"],
    tamper: (testbed) =>
      testbed.sql(
        "UPDATE shop.sales s SET customer_id = o.customer_id FROM shop.sales o WHERE (s.sale_id, o.sale_id) IN ((30, 31), (31, 30))",
      ),
  },
  {
    name: "amounts swapped between two rows, with all sums unchanged",
    message: [SALES, "sale_id 40", "sale_id 44"],
    // Rows of the same region and different products.
    tamper: (testbed) =>
      testbed.sql(
        "UPDATE shop.sales s SET sale_amount = o.sale_amount FROM shop.sales o WHERE (s.sale_id, o.sale_id) IN ((40, 44), (44, 40))",
      ),
  },
  {
    name: "one kopeck moved between two rows of one group",
    message: [SALES, "sale_id 1:", "sale_id 101"],
    tamper: (testbed) =>
      testbed.sql(
        "UPDATE shop.sales SET sale_amount = sale_amount + CASE sale_id WHEN 1 THEN 0.01 ELSE -0.01 END WHERE sale_id IN (1, 101)",
      ),
  },
  {
    name: "one kopeck in a stored aggregate",
    message: [AGGREGATES, "region East 0", CLICKHOUSE],
    tamper: (testbed) =>
      testbed.sql(
        "UPDATE shop.sales_aggregates SET total_amount = total_amount + 0.01 WHERE level = 'region' AND region = 'East'",
      ),
  },
  {
    name: "one kopeck in the aggregates of both databases",
    message: [AGGREGATES, "region East 0"],
    tamper: async (testbed) => {
      await testbed.sql(
        "UPDATE shop.sales_aggregates SET total_amount = total_amount + 0.01 WHERE level = 'region' AND region = 'East'",
      );
      await transfer(testbed.context("run"));
    },
  },
  {
    name: "the last digit of a share",
    message: [AGGREGATES, "product All 3"],
    tamper: (testbed) =>
      testbed.sql(
        "UPDATE shop.sales_aggregates SET cumulative_share = cumulative_share - 0.000001 WHERE level = 'product' AND product_id = 3",
      ),
  },
  {
    name: "two ranks swapped",
    message: [AGGREGATES],
    tamper: (testbed) =>
      testbed.sql(
        "UPDATE shop.sales_aggregates SET amount_rank = 3 - amount_rank WHERE level = 'region' AND amount_rank < 3",
      ),
  },
  {
    name: "an aggregate row missing",
    message: [`rows: ${AGGREGATES}`, "no such row"],
    tamper: (testbed) =>
      testbed.sql("DELETE FROM shop.sales_aggregates WHERE level = 'region_product' AND product_id = 4"),
  },
  {
    name: "an extra aggregate row",
    message: [`rows: ${AGGREGATES}`, "product All 999"],
    tamper: (testbed) =>
      testbed.sql(
        "INSERT INTO shop.sales_aggregates VALUES ('product', 'All', 999, 1, 1, 1, 1, 0, 1, 1, 'run')",
      ),
  },
  {
    name: "aggregates of another run",
    message: [AGGREGATES],
    tamper: (testbed) => testbed.sql("UPDATE shop.sales_aggregates SET run_id = 'other'"),
  },
  {
    name: "the text of a rejected row",
    message: [REJECTED, "part-00000.csv 9"],
    tamper: (testbed) => testbed.sql("UPDATE shop.rejected_sales SET raw = raw || ' ' WHERE line = 9"),
  },
  {
    name: "the reason of a rejected row",
    message: [REJECTED, "reasons: clean/manifest.json = shop.rejected_sales"],
    tamper: (testbed) => testbed.sql("UPDATE shop.rejected_sales SET reason = 'invalid_date' WHERE line = 9"),
  },
  {
    name: "a rejected row missing",
    message: [REJECTED, "part-00000.csv 5"],
    tamper: (testbed) => testbed.sql("DELETE FROM shop.rejected_sales WHERE line = 5"),
  },
  {
    name: "the run's counts",
    message: ["facts: clean/manifest.json = shop.pipeline_runs"],
    tamper: (testbed) =>
      testbed.sql(
        "UPDATE shop.pipeline_runs SET raw_rows = raw_rows + 1, duplicate_rows = duplicate_rows + 1",
      ),
  },
  {
    name: "the run's counts by reason",
    message: ["reasons: clean/manifest.json = shop.pipeline_runs", "unknown_region 2"],
    tamper: (testbed) =>
      testbed.sql(
        `UPDATE shop.pipeline_runs SET rejected_by_reason = rejected_by_reason || '{"unknown_region": 2}'`,
      ),
  },
  {
    name: "the source of the run's data",
    message: ["source: raw/manifest.json = shop.pipeline_runs", "ingested"],
    tamper: (testbed) => testbed.sql("UPDATE shop.pipeline_runs SET source = 'ingested'"),
  },
  ...(["raw", "clean", "rejected"] as const).map((dataset) => ({
    name: `${dataset}/ with another as-of date`,
    message: [`as of: the run = ${dataset}/manifest.json`, "2026-11-17"],
    tamper: ({ store }: Testbed) =>
      changeText(
        store,
        `runs/run/${dataset}/manifest.json`,
        (text) => text.replace('"as_of": "2026-11-24"', '"as_of": "2026-11-17"'),
      ),
  })),
  {
    name: "one kopeck added to an amount by clean, then loaded and aggregated",
    message: ["sale_amount: generated sales = clean/", "1 of"],
    tamper: async (testbed) => {
      await clean(testbed, (text) => text.replace(",0.07,", ",0.08,"));
      for (const stage of [load, aggregate, transfer]) await stage(testbed.context("run"));
    },
  },
  {
    name: "one item added to a quantity by clean, then loaded and aggregated",
    message: ["quantity: generated sales = clean/", "1 of"],
    tamper: async (testbed) => {
      await clean(testbed, (text) => text.replace(/^7,(\d+),(\d+),2,/m, "7,$1,$2,3,"));
      for (const stage of [load, aggregate, transfer]) await stage(testbed.context("run"));
    },
  },
  {
    name: "another name in the catalogue file",
    message: ["checksum: raw/manifest.json = raw/products.csv", "content: raw/products.csv = shop.products"],
    tamper: ({ store }) =>
      changeText(store, "runs/run/raw/products.csv", (text) => text.replace("Lamp", "Lump")),
  },
  {
    name: "a missing catalogue of generated data",
    message: ["file: raw/products.csv of generated data"],
    tamper: ({ store }) => store.remove("runs/run/raw/products.csv"),
  },
  {
    name: "a price in the catalogue",
    message: ["content: raw/products.csv = shop.products", "Lamp"],
    tamper: (testbed) => testbed.sql("UPDATE shop.products SET price_to = 4.01 WHERE product_id = 10"),
  },
  {
    name: "one kopeck in ClickHouse",
    message: [CLICKHOUSE, "total All 0"],
    tamper: (testbed) =>
      testbed.clickhouse(
        "ALTER TABLE shop.sales_aggregates UPDATE total_amount = total_amount + 0.01 WHERE level = 'total' SETTINGS mutations_sync = 2",
      ),
  },
  {
    name: "a row missing in ClickHouse",
    message: [CLICKHOUSE, "region West 0", "no such row"],
    tamper: (testbed) =>
      testbed.clickhouse(
        "ALTER TABLE shop.sales_aggregates DELETE WHERE level = 'region' AND region = 'West' SETTINGS mutations_sync = 2",
      ),
  },
  {
    name: "a duplicate row in ClickHouse",
    message: [CLICKHOUSE, "region South 0"],
    tamper: (testbed) =>
      testbed.clickhouse(
        "INSERT INTO shop.sales_aggregates SELECT * FROM shop.sales_aggregates WHERE level = 'region' AND region = 'South'",
      ),
  },
  {
    name: "a missing date in ClickHouse",
    message: [CLICKHOUSE, "0 rows"],
    tamper: (testbed) => testbed.clickhouse("ALTER TABLE shop.sales_aggregates DROP PARTITION '2026-11-24'"),
  },
  {
    name: "one kopeck in a clean part",
    message: ["clean/part-00000.csv: manifest = file", SALES, "sale_id 7"],
    tamper: async ({ store }) => {
      const path = "runs/run/clean/part-00000.csv";
      await store.writeText(path, (await store.readText(path))!.replace(",0.07,", ",0.08,"));
    },
  },
  {
    name: "one kopeck in a clean part, with a matching manifest",
    message: [SALES, "sale_amount: clean/ = shop.sales", "sale_id 7"],
    tamper: (testbed) => clean(testbed, (text) => text.replace(",0.07,", ",0.08,")),
  },
  {
    name: "a missing row in a clean part",
    message: ["rows: clean/manifest.json = clean/ recounted", "rows: raw/ = clean/ + duplicates + rejected/"],
    tamper: (testbed) => clean(testbed, (text) => text.replace(/^7,.*\n/m, "")),
  },
  {
    name: "a row of a clean part that is not canonical",
    message: ["is not canonical at line 8"],
    tamper: (testbed) => clean(testbed, (text) => text.replace(",0.07,", ",0.7,")),
    unreadable: true,
  },
  {
    name: "an extra row in raw/",
    message: ["rows: raw/manifest.json = raw/ recounted"],
    tamper: (testbed) => forgePart(testbed.store, "run", "raw", (text) => text + "one,more\n"),
  },
  {
    name: "raw data that was changed after clean",
    message: ["fingerprint: raw/ = the input of clean/"],
    tamper: (testbed) => forgePart(testbed.store, "run", "raw", (text) => text.replace("North", "south")),
  },
  {
    name: "defects that clean did not find",
    message: ["rows: injected defects = found by clean", "unknown_region 2"],
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
    message: ["rejected/part-00000.csv: manifest = file", REJECTED],
    tamper: async ({ store }) => {
      const path = "runs/run/rejected/part-00000.csv";
      await store.writeText(path, (await store.readText(path))!.replace("Центр", "центр"));
    },
  },
  {
    name: "a raw part removed",
    message: ["raw/part-00001.csv holds no bytes"],
    tamper: ({ store }) => store.remove("runs/run/raw/part-00001.csv"),
    unreadable: true,
  },
];

describe("verify()", () => {
  let testbed: Testbed;
  beforeAll(async () => {
    testbed = await Testbed.open();
    await migrate(testbed.context("run"));
  });
  afterAll(() => testbed.close());

  /** Writes the run and runs every stage before verify(). */
  async function runStages(): Promise<void> {
    await writeRunFiles(testbed.store, RUN);
    await load(testbed.context("run"));
    await aggregate(testbed.context("run"));
    await transfer(testbed.context("run"));
  }

  it("verify() passes a complete run and returns its checks", async () => {
    await runStages();
    const { rowsIn, rowsOut, facts, summary } = await verify(testbed.context("run"));
    assertEquals([rowsIn, rowsOut], [205, 200]);
    const checks = facts.checks as { name: string; left: string; right: string; ok: boolean }[];
    assertEquals(summary, `${checks.length} checks agree`);
    assert(checks.length >= 18 && checks.every(({ ok, left, right }) => ok && left === right && left !== ""));
    assertEquals(new Set(checks.map(({ name }) => name)).size, checks.length);
  });

  it("verify() passes a run without sales and without a catalogue", async () => {
    await writeRunFiles(testbed.store, {
      runId: "empty",
      parts: [],
      rejected: [[0, 2, "malformed_row", "x"]],
    });
    for (const stage of [load, aggregate, transfer, verify]) await stage(testbed.context("empty"));
  });

  it("verify() throws when the tables hold another run", async () => {
    await runStages();
    await writeRunFiles(testbed.store, { runId: "second", parts: [makeSales(3)] });
    await load(testbed.context("second"));
    await assertRejects(() => verify(testbed.context("run")), SalesflowError, "holds the rows of run second");
  });

  it("verify() passes generated data of an older version, without sums and catalogue checksum", async () => {
    await runStages();
    await changeText(testbed.store, "runs/run/raw/manifest.json", (text) => {
      const manifest = JSON.parse(text);
      delete manifest.facts.sums;
      delete manifest.facts.products_sha256;
      return JSON.stringify(manifest);
    });
    for (const stage of [load, aggregate, transfer, verify]) await stage(testbed.context("run"));
  });

  it("verify() stops reading files when a database fails", async () => {
    await runStages();
    let open = 0;
    const opened = Promise.withResolvers<void>();
    // A store that hangs after two bytes.
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
    const store = new Proxy(testbed.store, {
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
    const limits = { ...SHORT_LIMITS, retries: 0 };
    let late = false;
    const progress = () => late = true;
    await assertRejects(
      () => verify(testbed.context("run", { store, postgresUrl, progress }), { limits }),
      SalesflowError,
      "cannot be reached",
    );
    await hangUp;
    assertEquals([open, late], [0, false]);
  });

  for (const { name, message, tamper, unreadable } of TAMPERINGS) {
    it(`verify() detects ${name}`, async () => {
      await runStages();
      await tamper(testbed);
      const error = await assertRejects(() => verify(testbed.context("run")), SalesflowError);
      for (const part of message) assertStringIncludes(error.message, part);
      if (!unreadable) assertStringIncludes(error.message, "checks failed for run run");
      assertEquals(error.exitCode, 1);
      assert(error.remedy);
    });
  }
});
