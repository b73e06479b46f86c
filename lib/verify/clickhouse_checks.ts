/** Compares PostgreSQL's shop.sales_aggregates with the rows of the run's date in ClickHouse. */
import type { ClickHouse } from "../clickhouse/session.ts";
import type { StageContext } from "../pipeline/stage.ts";
import { readAggregates } from "../postgres/aggregates.ts";
import type { Postgres } from "../postgres/session.ts";
import type { Findings } from "./checks.ts";
import clickhouseAggregates from "./clickhouse_aggregates.sql" with { type: "text" };
import { compareRows, type KeyedRow } from "./compare_rows.ts";

function toKeyedRow([level, region, productId, ...rest]: readonly (string | null)[]): KeyedRow {
  return { key: [level!, region!, BigInt(productId!)], text: [level, region, productId, ...rest].join(" ") };
}

async function* postgresRows(db: Postgres): AsyncGenerator<KeyedRow[]> {
  for await (const rows of readAggregates(db)) yield rows.map(toKeyedRow);
}

async function* clickhouseRows(db: ClickHouse, importDate: string): AsyncGenerator<KeyedRow[]> {
  for await (const rows of db.stream(clickhouseAggregates, { import_date: importDate })) {
    yield rows.map(toKeyedRow);
  }
}

/** Compares all values of all rows. A duplicate row in ClickHouse counts as a difference. */
export async function checkClickHouse(
  postgres: Postgres,
  clickhouse: ClickHouse,
  { asOf }: StageContext,
  findings: Findings,
): Promise<void> {
  const name = "content: shop.sales_aggregates of PostgreSQL = ClickHouse";
  const found = await compareRows(postgresRows(postgres), clickhouseRows(clickhouse, asOf));
  if (!findings.compare(name, found.left, found.right)) findings.addDifferences(name, found.differences);
}
