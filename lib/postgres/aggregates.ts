/** The rows of shop.sales_aggregates, as ClickHouse is given them and as they are compared with it. */
import { readRows } from "./cursor.ts";
import selectAggregates from "./select_aggregates.sql" with { type: "text" };
import type { Postgres } from "./session.ts";

/** Columns that the tables of both databases have, in the order of select_aggregates.sql. */
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

/** All rows in the order of ClickHouse's key, in batches; values as text in the order of {@linkcode AGGREGATE_COLUMNS}. */
export async function* readAggregates(db: Postgres): AsyncGenerator<(string | null)[][]> {
  for await (const rows of readRows(db, selectAggregates)) {
    yield rows.map((row) => AGGREGATE_COLUMNS.map((name) => row[name]!));
  }
}
