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
import { summary } from "../../../lib/report/summary.ts";
import { totalsOfClickHouse, totalsOfPostgres } from "../../../lib/transfer/totals.ts";
import { transfer } from "../../../lib/transfer/transfer.ts";
import aggregateDifferences from "../../../lib/verify/aggregate_differences.sql" with { type: "text" };
import salesSum from "../../../lib/verify/sales_sum.sql" with { type: "text" };
import { verify } from "../../../lib/verify/verify.ts";
import { run as salesflow } from "../../cli/command.ts";
import {
  type DrawnCase,
  HEAVY_SALES,
  heavyCase,
  LARGEST_SUM_CENTS,
  lightCase,
  sumOf,
  type WeightedSale,
} from "../../conformance/drawn_sales.ts";
import {
  aggregated,
  asText,
  byClickHouse,
  createDrawnTables,
  IMPORT_DATE,
  nativeSum,
  oneByOne,
  putSales,
  putWeighted,
  storedInClickHouse,
} from "../tables/drawn_tables.ts";
import { IMPATIENT, Place, type Sale, writeRunFiles } from "../tables/harness.ts";
import { recount, recountWeighted } from "../tables/recount.ts";
import { byWeight, WEIGHTED_TABLE } from "../tables/weighted.ts";

const SEED = 20261124;
/** Cases that go through the databases together, and how often that is done. */
const BATCHES = { seed: SEED, numRuns: 10 };
/** These are quick, because nobody counts so far. */
const HEAVY_BATCHES = { seed: SEED, numRuns: 20 };
const BATCH = { maxLength: 60, size: "max" } as const;
const ROLLED_BACK = new Error("Nothing of this stays");

describe("money", () => {
  let place: Place;
  beforeAll(async () => {
    place = await Place.open();
    await migrate(place.context("base"));
    await writeRunFiles(place.store, { runId: "base", parts: [] });
    await load(place.context("base"));
    await createDrawnTables(place);
  });
  afterAll(() => place.close());

  /** Works in PostgreSQL, and leaves it as it was. */
  async function tried<T>(work: (db: Postgres) => Promise<T>): Promise<T> {
    let result: { value: T } | undefined;
    await place.postgres((db) =>
      db.transaction(async () => {
        await db.query(
          `CREATE TEMPORARY TABLE ${WEIGHTED_TABLE} (region text, product_id integer, quantity integer, sale_amount numeric(14, 2), weight numeric)`,
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
      { url: place.clickhouseUrl, stage: "test", signal: new AbortController().signal, limits: IMPATIENT },
      work,
    );
  }

  /** Compares everything that counts a batch of cases; `inPostgres` returns the rows of one, with run_id. */
  async function compare(
    cases: readonly DrawnCase[],
    inPostgres: (db: Postgres, runId: string, drawn: DrawnCase) => Promise<(string | null)[][]>,
    inClickHouse: readonly WeightedSale[][],
  ): Promise<void> {
    const expected = cases.map(({ sales }) => recountWeighted(sales));
    await tried(async (postgres) => {
      const stored: (string | null)[][][] = [];
      for (const [index, drawn] of cases.entries()) {
        const rows = await inPostgres(postgres, `case-${index}`, drawn);
        assertEquals(asText(rows.map((row) => row.slice(0, -1))), expected[index]);
        stored.push(rows);
      }
      await onClickHouse(async (clickhouse) => {
        assertEquals(await byClickHouse(clickhouse, inClickHouse), expected);
        assertEquals(await storedInClickHouse(clickhouse, stored), expected);
      });
    });
  }

  it("files, aggregate(), verify(), ClickHouse and what transfer() stores agree to the last digit for whatever sales", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(lightCase, BATCH), async (cases) => {
        const sales = cases.map((drawn) => oneByOne(drawn.sales));
        let at = 0;
        await compare(
          cases,
          async (db, runId, drawn) => {
            const single = sales[at++]!;
            await putSales(db, single);
            assertEquals({ ...await db.one(salesSum) }, nativeSum(single));
            const stored = await aggregated(db, runId, aggregateSql, aggregateDifferences);
            // Weights change nothing, so that the next test may use them.
            await putWeighted(db, drawn.sales);
            const weighted = await aggregated(
              db,
              runId,
              byWeight(aggregateSql),
              byWeight(aggregateDifferences),
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

  it("the same SQL over 10^9 sales by weight, or the largest sum, agrees to the last digit", async () => {
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
            await putWeighted(db, sales);
            return await aggregated(db, runId, byWeight(aggregateSql), byWeight(aggregateDifferences));
          },
          cases.map(({ sales }) => sales),
        );
      }),
      HEAVY_BATCHES,
    );
    assertEquals(mostSales, HEAVY_SALES);
    assert(mostCents > LARGEST_SUM_CENTS - 10n ** 12n);
  });

  it("10^9 sales of the largest amount are refused by weight, not stored wrong", async () => {
    for (const amount of ["999999999999.99", "10000000.00"]) {
      await assertRejects(
        () =>
          tried(async (db) => {
            await putWeighted(db, [["North", 1, 1, amount, HEAVY_SALES]]);
            await db.query(byWeight(aggregateSql), ["base"]);
          }),
        Error,
        "numeric field overflow",
      );
    }
  });

  describe("of the largest sum", () => {
    /** Together 9999999999999999.99: of two regions that tie, and a third with the rest. */
    const sales = oneByOne([
      ["North", 1, 2147483647, "999999999999.99", 5000],
      ["East", 2147483647, 2147483647, "999999999999.99", 5000],
      ["West", 7, 1, "99.99", 1],
    ]);
    const sum = "9999999999999999.99";
    const readable = "9\u202f999\u202f999\u202f999\u202f999\u202f999.99";

    it("every stage keeps it, and verify() agrees", async () => {
      await writeRunFiles(place.store, { runId: "largest", parts: [sales] });
      for (const stage of [load, aggregate, transfer]) await stage(place.context("largest"));
      const { facts } = await verify(place.context("largest"));
      const checks = facts.checks as { name: string; left: string }[];
      assertEquals(checks.find(({ name }) => name === "sale_amount: clean/ = shop.sales")?.left, sum);
      const columns =
        "level, region, product_id, total_sales, total_quantity, total_amount, average_sale_amount, " +
        "amount_share, amount_rank, cumulative_share";
      const query = `SELECT ${columns} FROM shop.sales_aggregates`;
      assertEquals(asText(await place.clickhouse(query)), recount(sales));
      assertEquals(asText(await place.values(query)), recount(sales));
      const { totals } = await place.postgres(totalsOfPostgres);
      assertEquals(totals.amount, fromCents(4n * toCents(sum)));
      assertEquals(
        await onClickHouse((db) => totalsOfClickHouse(db, "sales_aggregates", IMPORT_DATE)),
        totals,
      );
    });

    it("report() and summary() show every kopeck of it", async () => {
      await report(place.context("largest"));
      assertStringIncludes((await place.store.readText(reportPath("largest")))!, readable);
      assertStringIncludes(await summary(place.context("largest"), { colour: false }), readable);
    });

    it("salesflow sql shows every kopeck of it, in each format", async () => {
      const env = {
        SALESFLOW_POSTGRES_URL: place.postgresUrl,
        SALESFLOW_CLICKHOUSE_URL: place.clickhouseUrl,
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

    it("aggregate() refuses one kopeck more, and keeps the old rows", async () => {
      const more: Sale = [sales.length + 1, 1, 7, 1, "2026-10-01", "0.01", "West"];
      await writeRunFiles(place.store, { runId: "too-large", parts: [[...sales, more]] });
      await load(place.context("too-large"));
      await assertRejects(
        () => aggregate(place.context("too-large")),
        SalesflowError,
        "too large for its column",
      );
      const kept = await place.values(
        "SELECT run_id, total_amount FROM shop.sales_aggregates WHERE level = 'total'",
      );
      assertEquals(kept, [["largest", sum]]);
    });
  });
});
