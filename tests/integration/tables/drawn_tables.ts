/** Drawn sales in both databases, many cases one after another or at once, and what comes out of them. */
import { assertEquals } from "@std/assert";
import type { ClickHouse } from "../../../lib/clickhouse/session.ts";
import { fromCents } from "../../../lib/domain/money.ts";
import type { Postgres } from "../../../lib/postgres/session.ts";
import { SALE_HEADER } from "../../../lib/domain/sale.ts";
import selectAggregates from "../../../lib/postgres/select_aggregates.sql" with { type: "text" };
import { NAMED_DIFFERENCES } from "../../../lib/verify/checks.ts";
import { SalesSummer } from "../../../lib/verify/sales_sum.ts";
import type { WeightedSale } from "../../conformance/drawn_sales.ts";
import clickhouseRecount from "./clickhouse_recount.sql" with { type: "text" };
import type { Place, Sale } from "./harness.ts";
import { WEIGHTED_TABLE } from "./weighted.ts";

export const IMPORT_DATE = "2026-11-24";

/** Makes the tables in ClickHouse that hold drawn sales, and aggregates as transfer stores them. */
export async function createDrawnTables(place: Place): Promise<void> {
  await place.clickhouse("CREATE TABLE shop.drawn_aggregates AS shop.sales_aggregates");
  await place.clickhouse(
    "CREATE TABLE shop.drawn_sales (case_id UInt32, region String, product_id Int32, quantity Int32, sale_amount Decimal(14, 2), weight UInt64) ENGINE = Memory",
  );
}

/** Sales one by one, as clean/ and shop.sales hold them. */
export function oneByOne(sales: readonly WeightedSale[]): Sale[] {
  return sales.flatMap(([region, product, quantity, amount, weight]) =>
    Array.from({ length: weight }, () => [region, product, quantity, amount] as const)
  ).map(([region, product, quantity, amount], index) =>
    [index + 1, 1, product, quantity, "2026-10-01", amount, region] as Sale
  );
}

/** The sums that verify takes from the bytes of a clean part, in the words of sales_sum.sql. */
export function nativeSum(sales: readonly Sale[]): Record<string, string> {
  const summer = new SalesSummer("part");
  summer.write(
    new TextEncoder().encode([SALE_HEADER, ...sales.map((sale) => sale.join(",")), ""].join("\n")),
  );
  const { rows, quantity, cents, checksum } = summer.finish();
  return {
    rows: String(rows),
    quantity: String(quantity),
    amount: fromCents(cents),
    checksum: String(checksum),
  };
}

/** Columns of a list of rows, for unnest(). */
function columnsOf(rows: readonly (readonly (string | number)[])[], width: number): string[][] {
  return Array.from({ length: width }, (_, column) => rows.map((row) => String(row[column])));
}

/** Rows of shop.sales_aggregates as the tests compare them: without run_id, sorted. */
export function asText(rows: readonly (readonly (string | null)[])[]): string[] {
  return rows.map((row) => row.join(" ")).sort();
}

/** Replaces the rows of shop.sales, without load: that is tested elsewhere. */
export async function putSales(db: Postgres, sales: readonly Sale[]): Promise<void> {
  await db.query("TRUNCATE shop.sales");
  await db.query(
    "INSERT INTO shop.sales SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::integer[], $5::date[], $6::numeric[], $7::text[])",
    columnsOf(sales, 7),
  );
}

/** Replaces the rows of {@linkcode WEIGHTED_TABLE}. */
export async function putWeighted(db: Postgres, sales: readonly WeightedSale[]): Promise<void> {
  await db.query(`TRUNCATE ${WEIGHTED_TABLE}`);
  await db.query(
    `INSERT INTO ${WEIGHTED_TABLE} SELECT * FROM unnest($1::text[], $2::integer[], $3::integer[], $4::numeric[], $5::numeric[])`,
    columnsOf(sales, 5),
  );
}

/** The aggregates by the given SQL of the stage, when verify's recount by the given SQL finds the same. */
export async function aggregated(db: Postgres, runId: string, sql: string, recounting: string) {
  await db.query("DELETE FROM shop.sales_aggregates");
  await db.query(sql, [runId]);
  const [counts, ...different] = await db.query(recounting, [runId, NAMED_DIFFERENCES]);
  const stored = (await db.query(selectAggregates)).map((row) => Object.values(row));
  assertEquals(different, []);
  assertEquals(Object.values(counts!), [String(stored.length), String(stored.length), "0"]);
  return stored;
}

/** What ClickHouse computes of the cases' sales, case by case. */
export async function byClickHouse(
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
  return cases.map((_, index) => asText((found.get(index) ?? []).map(([, ...row]) => row)));
}

/** What comes back of the rows that transfer would send, each case as a run of its own. */
export async function storedInClickHouse(
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
  return cases.map((rows) => asText((found.get(rows[0]?.at(-1) ?? "") ?? []).map((row) => row.slice(0, -1))));
}
