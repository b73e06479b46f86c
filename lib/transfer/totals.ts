/** Row counts and sums on both sides of the transfer. */
import type { ClickHouse } from "../clickhouse/session.ts";
import type { IsoDate } from "../domain/dates.ts";
import type { Postgres } from "../postgres/session.ts";
import clickhouseTotals from "./clickhouse_totals.sql" with { type: "text" };
import postgresTotals from "./postgres_totals.sql" with { type: "text" };

/** Names of the count and the sums, in the column order of both queries. */
const NAMES = ["rows", "sales", "quantity", "amount", "averages", "shares", "ranks", "cumulative"] as const;

/** The row count and the sums, as exact decimal text. */
export type Totals = Record<typeof NAMES[number], string>;

/** Returns the totals of shop.sales_aggregates in PostgreSQL, and the smallest and largest run id (null when empty). */
export async function readPostgresTotals(
  db: Postgres,
): Promise<{ totals: Totals; runs: [string | null, string | null] }> {
  const row = await db.one(postgresTotals);
  const totals = Object.fromEntries(NAMES.map((name) => [name, row[name]!])) as Totals;
  return { totals, runs: [row.first_run!, row.last_run!] };
}

/** Returns the totals of one date in a table of ClickHouse's database shop. */
export async function readClickHouseTotals(
  db: ClickHouse,
  table: string,
  importDate: IsoDate,
): Promise<Totals> {
  const [row] = await db.rows(clickhouseTotals, { database: "shop", table, import_date: importDate });
  return Object.fromEntries(NAMES.map((name, index) => [name, row?.[index] ?? ""])) as Totals;
}

/** Returns the names of the totals that differ. */
export function differingTotals(left: Totals, right: Totals): (keyof Totals)[] {
  return NAMES.filter((name) => left[name] !== right[name]);
}
