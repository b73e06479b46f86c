/** Reads the tables in the cluster's databases. */
import { kubectl } from "./command.ts";

/** Figures and fingerprints of the last run; equal for equal tables. */
export interface Tables {
  runId: string;
  cleanEngine: string;
  rawRows: number;
  cleanRows: number;
  refusedRows: number;
  sales: number;
  aggregates: number;
  totalAmount: string;
  clickhouseAggregates: number;
  clickhouseTotalAmount: string;
  fingerprints: string[];
}

/** Returns the kubectl arguments that run SQL as the pipeline's role. */
export function psqlArguments(namespace: string, sql: string): string[] {
  const psql = [
    "psql",
    "--username=salesflow",
    "--dbname=salesflow",
    "--no-psqlrc",
    "--tuples-only",
    "--no-align",
  ];
  return ["exec", "--namespace", namespace, "salesflow-postgresql-0", "--", ...psql, "--command", sql];
}

/** Queries PostgreSQL; columns are separated by `|`. */
export async function askPostgres(namespace: string, sql: string): Promise<string> {
  return await kubectl(...psqlArguments(namespace, sql));
}

/** Queries ClickHouse; columns are separated by tabs. */
export async function queryClickHouse(namespace: string, sql: string): Promise<string> {
  const client =
    'exec clickhouse-client --user "$CLICKHOUSE_USER" --password "$CLICKHOUSE_PASSWORD" --query "$0"';
  return await kubectl(
    "exec",
    "--namespace",
    namespace,
    "salesflow-clickhouse-0",
    "--",
    "bash",
    "-c",
    client,
    sql,
  );
}

const RUN = `SELECT run_id, clean_engine, raw_rows, clean_rows, duplicate_rows + rejected_rows
  FROM shop.pipeline_runs ORDER BY loaded_at DESC LIMIT 1`;
const SALES = "SELECT count(*), md5(string_agg(s::text, '/' ORDER BY sale_id)) FROM shop.sales s";
const AGGREGATES = `SELECT count(*), max(total_amount) FILTER (WHERE level = 'total'),
  md5(string_agg(a::text, '/' ORDER BY level, region, product_id)) FROM shop.sales_aggregates a`;
const IMPORTED =
  `SELECT count(), toDecimalString(maxIf(total_amount, level = 'total'), 2), groupBitXor(cityHash64(import_date, level, region,
  product_id, total_sales, total_quantity, total_amount, average_sale_amount, amount_share, amount_rank,
  cumulative_share, run_id)) FROM shop.sales_aggregates`;

/** Reads all tables. */
export async function readTables(namespace: string): Promise<Tables> {
  const columns = async (sql: string) => (await askPostgres(namespace, sql)).split("|");
  const [runId, cleanEngine, raw, clean, refused] = await columns(RUN);
  const [sales, salesPrint] = await columns(SALES);
  const [aggregates, totalAmount, aggregatesPrint] = await columns(AGGREGATES);
  const [imported, importedAmount, importedPrint] = (await queryClickHouse(namespace, IMPORTED)).split("\t");
  return {
    runId: runId!,
    cleanEngine: cleanEngine!,
    rawRows: Number(raw),
    cleanRows: Number(clean),
    refusedRows: Number(refused),
    sales: Number(sales),
    aggregates: Number(aggregates),
    totalAmount: totalAmount!,
    clickhouseAggregates: Number(imported),
    clickhouseTotalAmount: importedAmount!,
    fingerprints: [salesPrint!, aggregatesPrint!, importedPrint!],
  };
}
