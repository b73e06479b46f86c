/** Rows and sums on both sides of the transfer. */
import { type ClickHouse } from "../clickhouse/session.ts";
import type { IsoDate } from "../domain/dates.ts";
import type { Postgres } from "../postgres/session.ts";
import clickhouseTotals from "./clickhouse_totals.sql" with { type: "text" };
import postgresTotals from "./postgres_totals.sql" with { type: "text" };

/** What is counted and summed, in the order of both queries. */
const NAMES = ["rows", "sales", "quantity", "amount", "averages", "shares", "ranks", "cumulative"] as const;

/** Exact decimal text of each count and sum. */
export type Totals = Record<typeof NAMES[number], string>;

/** Totals of shop.sales_aggregates in PostgreSQL, and the runs of its rows (null when it is empty). */
export async function totalsOfPostgres(
  db: Postgres,
): Promise<{ totals: Totals; runs: [string | null, string | null] }> {
  const row = await db.one(postgresTotals);
  const totals = Object.fromEntries(NAMES.map((name) => [name, row[name]!])) as Totals;
  return { totals, runs: [row.first_run!, row.last_run!] };
}

/** Totals of one date in a table of ClickHouse's database shop. */
export async function totalsOfClickHouse(
  db: ClickHouse,
  table: string,
  importDate: IsoDate,
): Promise<Totals> {
  const [row] = await db.rows(clickhouseTotals, { database: "shop", table, import_date: importDate });
  return Object.fromEntries(NAMES.map((name, index) => [name, row?.[index] ?? ""])) as Totals;
}

/** Names of the counts and sums that differ. */
export function differences(left: Totals, right: Totals): (keyof Totals)[] {
  return NAMES.filter((name) => left[name] !== right[name]);
}
