/** Reads shop.sales_aggregates for transfer to ClickHouse, and for the comparison with it. */
import { readRows } from "./cursor.ts";
import selectAggregates from "./select_aggregates.sql" with { type: "text" };
import type { Postgres } from "./session.ts";

/** Columns common to the tables of both databases, in the order of select_aggregates.sql. */
export const AGGREGATE_COLUMNS = [
  "level",
  "region",
  "product_id",
  "total_sales",
  "total_quantity",
  "total_amount",
  "average_sale_amount",
  "amount_share",
  "amount_rank",
  "cumulative_share",
  "run_id",
] as const;

/**
 * Yields all rows in batches, sorted by ClickHouse's key. Values are text in the order of {@linkcode AGGREGATE_COLUMNS}.
 * Needs an open transaction.
 */
export async function* readAggregates(db: Postgres): AsyncGenerator<(string | null)[][]> {
  for await (const rows of readRows(db, selectAggregates)) {
    yield rows.map((row) => AGGREGATE_COLUMNS.map((name) => row[name]!));
  }
}
