import { assert, assertEquals } from "@std/assert";
import { afterAll, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import aggregateSql from "../../../lib/aggregate/aggregate.sql" with { type: "text" };
import { parseCleanFacts } from "../../../lib/dataset/facts.ts";
import { publish } from "../../../lib/load/publish.ts";
import { openSource } from "../../../lib/load/source.ts";
import { fillStagingTable } from "../../../lib/load/staging.ts";
import type { Postgres } from "../../../lib/postgres/session.ts";
import { Findings } from "../../../lib/verify/checks.ts";
import { type MeasuredFiles, measureFiles } from "../../../lib/verify/measure_files.ts";
import {
  checkAggregates,
  checkRejected,
  checkRun,
  checkSales,
  findDifferingSales,
  sumSales,
} from "../../../lib/verify/postgres_checks.ts";
import { makeSales, Testbed, writeRunFiles } from "../tables/harness.ts";

const SALES = makeSales(60);
const ROLLED_BACK = new Error("rolled back");

describe("lib/verify/postgres_checks.ts", () => {
  let testbed: Testbed;
  let files: MeasuredFiles;
  let findings: Findings;
  beforeAll(async () => {
    testbed = await Testbed.open(["postgres"]);
    await testbed.createPostgresTables();
    await writeRunFiles(testbed.store, {
      runId: "run",
      parts: [SALES.slice(0, 40), SALES.slice(40)],
      rejected: [[0, 5, "malformed_row", 'broken "row"'], [0, 9, "unknown_region", "Центр"]],
    });
    const source = await openSource(testbed.context("run"));
    await testbed.postgres(async (db) => {
      await publish(db, source, await fillStagingTable(db, source, () => {}), 60_000);
      await db.query(aggregateSql, ["run"]);
    });
    files = await measureFiles(testbed.context("run"), new Findings());
  });
  afterAll(() => testbed.close());
  beforeEach(() => {
    findings = new Findings();
  });

  /** Runs `work` after `change` in a transaction that is rolled back. */
  async function afterChange(change: string, work: (db: Postgres) => Promise<unknown>): Promise<void> {
    await testbed.postgres((db) =>
      db.transaction(async () => {
        if (change) await db.query(change);
        await work(db);
        throw ROLLED_BACK;
      })
    ).catch((error) => {
      if (error !== ROLLED_BACK) throw error;
    });
  }

  const failed = () => findings.checks.filter(({ ok }) => !ok).map(({ name }) => name);
  const context = () => testbed.context("run");
  const facts = () => parseCleanFacts(files.clean, "verify");

  it("checkSales() passes when shop.sales equals clean/", async () => {
    await afterChange("", async (db) => assert(checkSales(files, await sumSales(db), findings)));
    assertEquals([findings.checks.length, failed()], [4, []]);
  });

  const sales = (sum: string) => `${sum}: clean/ = shop.sales`;
  const salesChanges: [string, string, string[], string[]][] = [
    ["a kopeck", "UPDATE shop.sales SET sale_amount = sale_amount + 0.01 WHERE sale_id = 7", [
      sales("sale_amount"),
      sales("checksum"),
    ], ["sale_id 7"]],
    ["a lost row", "DELETE FROM shop.sales WHERE sale_id = 60", [
      sales("rows"),
      sales("quantity"),
      sales("sale_amount"),
      sales("checksum"),
    ], ["sale_id 60"]],
    [
      "customers swapped between two rows",
      "UPDATE shop.sales s SET customer_id = o.customer_id FROM shop.sales o WHERE (s.sale_id, o.sale_id) IN ((3, 4), (4, 3))",
      [sales("checksum")],
      ["sale_id 3", "sale_id 4"],
    ],
  ];
  for (const [name, change, expected, rows] of salesChanges) {
    it(`checkSales() fails and findDifferingSales() returns the rows for ${name}`, async () => {
      await afterChange(change, async (db) => {
        assert(!checkSales(files, await sumSales(db), findings));
        assertEquals(failed(), expected);
        const differing = await findDifferingSales(db, context(), files.clean);
        assertEquals(differing.map(({ place }) => place), rows);
        for (const { left, right } of differing) assert(left !== right);
      });
    });
  }

  it("findDifferingSales() returns nothing without the privilege to create temporary tables", async () => {
    await testbed.sql(
      "CREATE ROLE reader; GRANT USAGE ON SCHEMA shop TO reader; GRANT SELECT ON shop.sales TO reader",
    );
    await testbed.sql(
      "DO $$ BEGIN EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM public', current_database()); END $$",
    );
    await afterChange("SET ROLE reader", async (db) => {
      assertEquals(await findDifferingSales(db, context(), files.clean), []);
    });
  });

  const rejectedChanges: [string, string, string[]][] = [
    ["passes equal rows", "", []],
    ["fails for another text", "UPDATE shop.rejected_sales SET raw = raw || ' ' WHERE line = 9", [
      "content: rejected/ = shop.rejected_sales",
    ]],
    ["fails for another reason", "UPDATE shop.rejected_sales SET reason = 'invalid_date' WHERE line = 9", [
      "content: rejected/ = shop.rejected_sales",
      "reasons: clean/manifest.json = shop.rejected_sales",
    ]],
    ["ignores rows of other runs", "INSERT INTO shop.rejected_sales VALUES ('other', 'x', 1, 'x', 'x')", []],
  ];
  for (const [name, change, expected] of rejectedChanges) {
    it(`checkRejected() ${name}`, async () => {
      await afterChange(change, (db) => checkRejected(db, context(), files.rejected, facts(), findings));
      assertEquals(failed(), expected);
    });
  }

  const runChanges: [string, string, string[]][] = [
    ["passes an equal record", "", []],
    ["fails for another date", "UPDATE shop.pipeline_runs SET as_of = '2026-11-17'", [
      "facts: clean/manifest.json = shop.pipeline_runs",
    ]],
    ["fails for another source", "UPDATE shop.pipeline_runs SET source = 'generated'", [
      "source: raw/manifest.json = shop.pipeline_runs",
    ]],
    [
      "fails for other reasons",
      "UPDATE shop.pipeline_runs SET rejected_by_reason = '{\"invalid_date\": 2}'",
      [
        "reasons: clean/manifest.json = shop.pipeline_runs",
      ],
    ],
  ];
  for (const [name, change, expected] of runChanges) {
    it(`checkRun() ${name}`, async () => {
      await afterChange(change, (db) => checkRun(db, files, facts(), findings));
      assertEquals(failed(), expected);
    });
  }

  const [ROWS, DIFFERING] = ["rows", "differing rows"].map((what) =>
    `${what}: aggregates recounted from shop.sales = shop.sales_aggregates`
  );
  const aggregateChanges: [string, string, string[]][] = [
    ["passes equal aggregates", "", []],
    [
      "fails for another last digit",
      "UPDATE shop.sales_aggregates SET amount_share = amount_share + 0.000001 WHERE level = 'region' AND region = 'East'",
      [DIFFERING!],
    ],
    ["fails for a missing row", "DELETE FROM shop.sales_aggregates WHERE level = 'total'", [
      ROWS!,
      DIFFERING!,
    ]],
    ["fails for aggregates of another run", "UPDATE shop.sales_aggregates SET run_id = 'other'", [
      DIFFERING!,
    ]],
  ];
  for (const [name, change, expected] of aggregateChanges) {
    it(`checkAggregates() ${name}`, async () => {
      await afterChange(change, (db) => checkAggregates(db, "run", findings));
      assertEquals(failed(), expected);
    });
  }
});
