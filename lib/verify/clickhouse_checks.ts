/** PostgreSQL's shop.sales_aggregates = the rows of the run's date in ClickHouse. */
import type { ClickHouse } from "../clickhouse/session.ts";
import type { StageContext } from "../pipeline/stage.ts";
import { readAggregates } from "../postgres/aggregates.ts";
import type { Postgres } from "../postgres/session.ts";
import type { Findings } from "./checks.ts";
import clickhouseAggregates from "./clickhouse_aggregates.sql" with { type: "text" };
import { compareRows, type KeyedRow } from "./compare_rows.ts";

function keyed([level, region, productId, ...rest]: readonly (string | null)[]): KeyedRow {
  return { key: [level!, region!, Number(productId)], text: [level, region, productId, ...rest].join(" ") };
}

async function* ofPostgres(db: Postgres): AsyncGenerator<KeyedRow[]> {
  for await (const rows of readAggregates(db)) yield rows.map(keyed);
}

async function* ofClickHouse(db: ClickHouse, importDate: string): AsyncGenerator<KeyedRow[]> {
  for await (const rows of db.stream(clickhouseAggregates, { import_date: importDate })) {
    yield rows.map(keyed);
  }
}

/** Compares all values of all rows, and that each date has one copy. */
export async function checkClickHouse(
  postgres: Postgres,
  clickhouse: ClickHouse,
  { asOf }: StageContext,
  findings: Findings,
): Promise<void> {
  const name = "content: shop.sales_aggregates of PostgreSQL = ClickHouse";
  const found = await compareRows(ofPostgres(postgres), ofClickHouse(clickhouse, asOf));
  if (!findings.compare(name, found.left, found.right)) findings.differ(name, found.differences);
}
