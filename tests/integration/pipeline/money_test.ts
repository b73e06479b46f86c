import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { aggregate } from "../../../lib/aggregate/aggregate.ts";
import aggregateSql from "../../../lib/aggregate/aggregate.sql" with { type: "text" };
import { type ClickHouse, withClickHouse } from "../../../lib/clickhouse/session.ts";
import { SalesflowError } from "../../../lib/console/errors.ts";
import { load } from "../../../lib/load/load.ts";
import { migrate } from "../../../lib/migrate/migrate.ts";
import { fromCents, toCents } from "../../../lib/domain/money.ts";
import type { Postgres } from "../../../lib/postgres/session.ts";
import { report, reportPath } from "../../../lib/report/report.ts";
import { summarizeRun } from "../../../lib/report/summary.ts";
import { readClickHouseTotals, readPostgresTotals } from "../../../lib/transfer/totals.ts";
import { transfer } from "../../../lib/transfer/transfer.ts";
import aggregateDifferences from "../../../lib/verify/aggregate_differences.sql" with { type: "text" };
import salesSum from "../../../lib/verify/sales_sum.sql" with { type: "text" };
import { verify } from "../../../lib/verify/verify.ts";
import { run as salesflow } from "../../cli/command.ts";
import {
  type DrawnCase,
  HEAVY_SALES,
  heavyCase,
  lightCase,
  MAX_SUM_CENTS,
  sumOf,
  type WeightedSale,
} from "../../conformance/drawn_sales.ts";
import {
  aggregateAndRecount,
  aggregateInClickHouse,
  createDrawnTables,
  expandWeights,
  IMPORT_DATE,
  replaceSales,
  replaceWeightedSales,
  storeInClickHouse,
  sumSales,
  toSortedLines,
} from "../tables/drawn_tables.ts";
import { type Sale, SHORT_LIMITS, Testbed, writeRunFiles } from "../tables/harness.ts";
import { recount, recountWeighted } from "../tables/recount.ts";
import { WEIGHTED_TABLE, weightQuery } from "../tables/weighted_query.ts";

const SEED = 20261124;
/** Number of batches. A batch of cases goes through the databases together. */
const BATCHES = { seed: SEED, numRuns: 10 };
/** More batches, because weights replace the counting of rows. */
const HEAVY_BATCHES = { seed: SEED, numRuns: 20 };
const BATCH = { maxLength: 60, size: "max" } as const;
const ROLLED_BACK = new Error("rolled back");

describe("money", () => {
  let testbed: Testbed;
  beforeAll(async () => {
    testbed = await Testbed.open();
    await migrate(testbed.context("base"));
    await writeRunFiles(testbed.store, { runId: "base", parts: [] });
    await load(testbed.context("base"));
    await createDrawnTables(testbed);
  });
  afterAll(() => testbed.close());

  /** Runs `work` in a PostgreSQL transaction and rolls it back. */
  async function withRollback<T>(work: (db: Postgres) => Promise<T>): Promise<T> {
    let result: { value: T } | undefined;
    await testbed.postgres((db) =>
      db.transaction(async () => {
        await db.query(
          `CREATE TEMPORARY TABLE ${WEIGHTED_TABLE} (region text, product_id bigint, quantity integer, sale_amount numeric(14, 2), weight numeric)`,
        );
        result = { value: await work(db) };
        throw ROLLED_BACK;
      })
    ).catch((error) => {
      if (error !== ROLLED_BACK) throw error;
    });
    return result!.value;
  }

  function onClickHouse<T>(work: (db: ClickHouse) => Promise<T>): Promise<T> {
    return withClickHouse(
      {
        url: testbed.clickhouseUrl,
        stage: "test",
        signal: new AbortController().signal,
        limits: SHORT_LIMITS,
      },
      work,
    );
  }

  /** Compares all implementations on a batch of cases. `inPostgres` returns the rows of one case, with run_id. */
  async function compare(
    cases: readonly DrawnCase[],
    inPostgres: (db: Postgres, runId: string, drawn: DrawnCase) => Promise<(string | null)[][]>,
    inClickHouse: readonly WeightedSale[][],
  ): Promise<void> {
    const expected = cases.map(({ sales }) => recountWeighted(sales));
    await withRollback(async (postgres) => {
      const stored: (string | null)[][][] = [];
      for (const [index, drawn] of cases.entries()) {
        const rows = await inPostgres(postgres, `case-${index}`, drawn);
        assertEquals(toSortedLines(rows.map((row) => row.slice(0, -1))), expected[index]);
        stored.push(rows);
      }
      await onClickHouse(async (clickhouse) => {
        assertEquals(await aggregateInClickHouse(clickhouse, inClickHouse), expected);
        assertEquals(await storeInClickHouse(clickhouse, stored), expected);
      });
    });
  }

  it("files, aggregate(), verify(), ClickHouse and the rows of transfer() agree to the last digit for random sales", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(lightCase, BATCH), async (cases) => {
        const sales = cases.map((drawn) => expandWeights(drawn.sales));
        let at = 0;
        await compare(
          cases,
          async (db, runId, drawn) => {
            const single = sales[at++]!;
            await replaceSales(db, single);
            assertEquals({ ...await db.one(salesSum) }, sumSales(single));
            const stored = await aggregateAndRecount(db, runId, aggregateSql, aggregateDifferences);
            // Weighted queries return the same, so the next test can rely on them.
            await replaceWeightedSales(db, drawn.sales);
            const weighted = await aggregateAndRecount(
              db,
              runId,
              weightQuery(aggregateSql),
              weightQuery(aggregateDifferences),
            );
            assertEquals(weighted, stored);
            return stored;
          },
          sales.map((single) =>
            single.map(([, , product, quantity, , amount, region]) => [region, product, quantity, amount, 1])
          ),
        );
      }),
      BATCHES,
    );
  });

  it("the same SQL agrees to the last digit over 10^9 weighted sales and over the largest sum", async () => {
    let [mostSales, mostCents] = [0, 0n];
    await fc.assert(
      fc.asyncProperty(fc.array(heavyCase, BATCH), async (cases) => {
        for (const { sales } of cases) {
          const sum = sumOf(sales);
          mostSales = Math.max(mostSales, sum.sales);
          if (sum.cents > mostCents) mostCents = sum.cents;
        }
        await compare(
          cases,
          async (db, runId, { sales }) => {
            await replaceWeightedSales(db, sales);
            return await aggregateAndRecount(
              db,
              runId,
              weightQuery(aggregateSql),
              weightQuery(aggregateDifferences),
            );
          },
          cases.map(({ sales }) => sales),
        );
      }),
      HEAVY_BATCHES,
    );
    assertEquals(mostSales, HEAVY_SALES);
    assert(mostCents > MAX_SUM_CENTS - 10n ** 12n);
  });

  it("10^9 weighted sales of the largest amount are rejected, not stored wrong", async () => {
    for (const amount of ["999999999999.99", "10000000.00"]) {
      await assertRejects(
        () =>
          withRollback(async (db) => {
            await replaceWeightedSales(db, [["North", 1, 1, amount, HEAVY_SALES]]);
            await db.query(weightQuery(aggregateSql), ["base"]);
          }),
        Error,
        "numeric field overflow",
      );
    }
  });

  describe("with the largest sum", () => {
    /** Sum up to 9999999999999999.99: two regions that tie, and a third with the rest. */
    const sales = expandWeights([
      ["North", 1, 2147483647, "999999999999.99", 5000],
      ["East", "9223372036854775807", 2147483647, "999999999999.99", 5000],
      ["West", 7, 1, "99.99", 1],
    ]);
    const sum = "9999999999999999.99";
    const formatted = "9\u202f999\u202f999\u202f999\u202f999\u202f999.99";

    it("every stage preserves it, and verify() agrees", async () => {
      await writeRunFiles(testbed.store, { runId: "largest", parts: [sales] });
      for (const stage of [load, aggregate, transfer]) await stage(testbed.context("largest"));
      const { facts } = await verify(testbed.context("largest"));
      const checks = facts.checks as { name: string; left: string }[];
      assertEquals(checks.find(({ name }) => name === "sale_amount: clean/ = shop.sales")?.left, sum);
      const columns =
        "level, region, product_id, total_sales, total_quantity, total_amount, average_sale_amount, " +
        "amount_share, amount_rank, cumulative_share";
      const query = `SELECT ${columns} FROM shop.sales_aggregates`;
      assertEquals(toSortedLines(await testbed.clickhouse(query)), recount(sales));
      assertEquals(toSortedLines(await testbed.values(query)), recount(sales));
      const { totals } = await testbed.postgres(readPostgresTotals);
      assertEquals(totals.amount, fromCents(4n * toCents(sum)));
      assertEquals(
        await onClickHouse((db) => readClickHouseTotals(db, "sales_aggregates", IMPORT_DATE)),
        totals,
      );
    });

    it("report() and summary() show every kopeck of it", async () => {
      await report(testbed.context("largest"));
      assertStringIncludes((await testbed.store.readText(reportPath("largest")))!, formatted);
      assertStringIncludes(await summarizeRun(testbed.context("largest"), { colour: false }), formatted);
    });

    it("salesflow sql shows every kopeck of it, in each format", async () => {
      const env = {
        SALESFLOW_POSTGRES_URL: testbed.postgresUrl,
        SALESFLOW_CLICKHOUSE_URL: testbed.clickhouseUrl,
      };
      const query = "SELECT total_amount, total_quantity FROM shop.sales_aggregates WHERE level = 'total'";
      const formats = ["table", "json", "csv"];
      const answers = await Promise.all(
        ["postgres", "clickhouse"].flatMap((database) =>
          formats.map((format) => salesflow(["sql", database, query, "--format", format], env))
        ),
      );
      for (const { stdout, stderr } of answers) {
        assertStringIncludes(stdout, sum, stderr);
        assertStringIncludes(stdout, "21474836470001");
      }
    });

    it("aggregate() rejects one kopeck more, and keeps the old rows", async () => {
      const more: Sale = [sales.length + 1, 1, 7, 1, "2026-10-01", "0.01", "West"];
      await writeRunFiles(testbed.store, { runId: "too-large", parts: [[...sales, more]] });
      await load(testbed.context("too-large"));
      await assertRejects(
        () => aggregate(testbed.context("too-large")),
        SalesflowError,
        "too large for its column",
      );
      const kept = await testbed.values(
        "SELECT run_id, total_amount FROM shop.sales_aggregates WHERE level = 'total'",
      );
      assertEquals(kept, [["largest", sum]]);
    });
  });
});
