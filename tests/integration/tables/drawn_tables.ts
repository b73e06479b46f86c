/** Loads generated test cases into both databases, and computes their aggregates in several ways. */
import { assertEquals } from "@std/assert";
import type { ClickHouse } from "../../../lib/clickhouse/session.ts";
import { fromCents } from "../../../lib/domain/money.ts";
import type { Postgres } from "../../../lib/postgres/session.ts";
import { SALE_HEADER } from "../../../lib/domain/sale.ts";
import selectAggregates from "../../../lib/postgres/select_aggregates.sql" with { type: "text" };
import { MAX_DIFFERENCES } from "../../../lib/verify/checks.ts";
import { SalesAccumulator } from "../../../lib/verify/sales_sum.ts";
import type { WeightedSale } from "../../conformance/drawn_sales.ts";
import clickhouseRecount from "./clickhouse_recount.sql" with { type: "text" };
import type { Sale, Testbed } from "./harness.ts";
import { WEIGHTED_TABLE } from "./weighted_query.ts";

export const IMPORT_DATE = "2026-11-24";

/** Creates ClickHouse tables for the sales of test cases, and for their aggregates as transfer stores them. */
export async function createDrawnTables(testbed: Testbed): Promise<void> {
  await testbed.clickhouse("CREATE TABLE shop.drawn_aggregates AS shop.sales_aggregates");
  await testbed.clickhouse(
    "CREATE TABLE shop.drawn_sales (case_id UInt32, region String, product_id Int64, quantity Int32, sale_amount Decimal(14, 2), weight UInt64) ENGINE = Memory",
  );
}

/** Repeats each sale by its weight, as clean/ and shop.sales hold sales. */
export function expandWeights(sales: readonly WeightedSale[]): Sale[] {
  return sales.flatMap(([region, product, quantity, amount, weight]) =>
    Array.from({ length: weight }, () => [region, product, quantity, amount] as const)
  ).map(([region, product, quantity, amount], index) =>
    [index + 1, 1, product, quantity, "2026-10-01", amount, region] as Sale
  );
}

/** Sums sales as verify does from the bytes of a clean part; names the sums like sales_sum.sql. */
export function sumSales(sales: readonly Sale[]): Record<string, string> {
  const accumulator = new SalesAccumulator("part");
  accumulator.write(
    new TextEncoder().encode([SALE_HEADER, ...sales.map((sale) => sale.join(",")), ""].join("\n")),
  );
  const { rows, quantity, cents, checksum } = accumulator.finish();
  return {
    rows: String(rows),
    quantity: String(quantity),
    amount: fromCents(cents),
    checksum: String(checksum),
  };
}

/** Transposes rows to columns, for unnest(). */
function toColumns(rows: readonly (readonly (string | number)[])[], width: number): string[][] {
  return Array.from({ length: width }, (_, column) => rows.map((row) => String(row[column])));
}

/** Joins the values of each row; returns the lines sorted, for comparison. */
export function toSortedLines(rows: readonly (readonly (string | null)[])[]): string[] {
  return rows.map((row) => row.join(" ")).sort();
}

/** Replaces the rows of shop.sales without load, which has its own tests. */
export async function replaceSales(db: Postgres, sales: readonly Sale[]): Promise<void> {
  await db.query("TRUNCATE shop.sales");
  await db.query(
    "INSERT INTO shop.sales SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::integer[], $5::date[], $6::numeric[], $7::text[])",
    toColumns(sales, 7),
  );
}

/** Replaces the rows of {@linkcode WEIGHTED_TABLE}. */
export async function replaceWeightedSales(db: Postgres, sales: readonly WeightedSale[]): Promise<void> {
  await db.query(`TRUNCATE ${WEIGHTED_TABLE}`);
  await db.query(
    `INSERT INTO ${WEIGHTED_TABLE} SELECT * FROM unnest($1::text[], $2::bigint[], $3::integer[], $4::numeric[], $5::numeric[])`,
    toColumns(sales, 5),
  );
}

/** Computes the aggregates with `sql`, and checks that verify's query `recounting` finds no difference. */
export async function aggregateAndRecount(db: Postgres, runId: string, sql: string, recounting: string) {
  await db.query("DELETE FROM shop.sales_aggregates");
  await db.query(sql, [runId]);
  const [counts, ...different] = await db.query(recounting, [runId, MAX_DIFFERENCES]);
  const stored = (await db.query(selectAggregates)).map((row) => Object.values(row));
  assertEquals(different, []);
  assertEquals(Object.values(counts!), [String(stored.length), String(stored.length), "0"]);
  return stored;
}

/** Returns the aggregates that ClickHouse computes for each case. */
export async function aggregateInClickHouse(
  db: ClickHouse,
  cases: readonly (readonly WeightedSale[])[],
): Promise<string[][]> {
  await db.command("TRUNCATE TABLE shop.drawn_sales");
  await db.insert(
    "shop.drawn_sales",
    ["case_id", "region", "product_id", "quantity", "sale_amount", "weight"],
    (async function* () {
      for (const [index, sales] of cases.entries()) {
        for (const sale of sales) yield [index, ...sale].map(String);
      }
    })(),
  );
  const found = Map.groupBy(await db.rows(clickhouseRecount), ([index]) => Number(index));
  return cases.map((_, index) => toSortedLines((found.get(index) ?? []).map(([, ...row]) => row)));
}

/** Inserts aggregates like transfer, each case as its own run, and returns what ClickHouse has stored. */
export async function storeInClickHouse(
  db: ClickHouse,
  cases: readonly (string | null)[][][],
): Promise<string[][]> {
  await db.command("TRUNCATE TABLE shop.drawn_aggregates");
  const columns = /SELECT([^]*?)FROM/.exec(selectAggregates)![1]!.split(",").map((name) => name.trim());
  await db.insert(
    "shop.drawn_aggregates",
    ["import_date", ...columns, "imported_at"],
    (async function* () {
      for (const rows of cases) {
        for (const row of rows) yield [IMPORT_DATE, ...row, "2026-11-24 00:00:00.000"];
      }
    })(),
  );
  const rows = await db.rows(`SELECT ${columns.join(", ")} FROM shop.drawn_aggregates`);
  const found = Map.groupBy(rows, (row) => row.at(-1));
  return cases.map((rows) =>
    toSortedLines((found.get(rows[0]?.at(-1) ?? "") ?? []).map((row) => row.slice(0, -1)))
  );
}
