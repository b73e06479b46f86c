import Table from "cli-table3";
import { z } from "zod";
import { withClickHouse } from "../../lib/clickhouse/session.ts";
import { readDatabaseUrls } from "../../lib/connection/database_urls.ts";
import { UsageError } from "../../lib/console/errors.ts";
import { maskUrl } from "../../lib/connection/mask_url.ts";
import { withPostgres } from "../../lib/postgres/session.ts";
import { type AnyCommand, defineCommand } from "../command.ts";
import { openDatabases } from "../databases.ts";
import { commonOptions, storeOptions } from "../options.ts";
import { shouldDrawProgress, startLogging } from "../session.ts";
import { stopSignal } from "../stop_signal.ts";

/** A query result; values are text, as the database formats them. */
interface QueryResult {
  columns: string[];
  rows: (string | null)[][];
}

/** How the format JSONCompactStringsEachRowWithNames represents NULL. */
const CLICKHOUSE_NULL = "ᴺᵁᴸᴸ";

async function queryPostgres(url: string, query: string, signal: AbortSignal): Promise<QueryResult> {
  return await withPostgres({ url, stage: "sql", signal }, (db) => db.queryTable(query));
}

async function queryClickHouse(url: string, query: string, signal: AbortSignal): Promise<QueryResult> {
  return await withClickHouse({ url, stage: "sql", signal }, async (db) => {
    const text = await db.text(query, "JSONCompactStringsEachRowWithNames");
    if (text === "") return { columns: [], rows: [] };
    try {
      const [columns = [], ...rows] = text.trimEnd().split("\n").map((line) => JSON.parse(line) as string[]);
      return {
        columns,
        rows: rows.map((row) => row.map((value) => value === CLICKHOUSE_NULL ? null : value)),
      };
    } catch {
      throw new UsageError(
        ["Cannot display a result whose format is set by the query"],
        "Remove FORMAT from the query, and use --format.",
      );
    }
  });
}

function formatCsvField(value: string | null): string {
  if (value === null) return "";
  return value === "" || /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

/** Numbers repeated column names, so that no value is lost when rows become JSON objects. */
function uniqueNames(columns: readonly string[]): string[] {
  const taken = new Set(columns);
  return columns.map((name, index) => {
    if (columns.indexOf(name) === index) return name;
    let number = 2;
    while (taken.has(`${name}_${number}`)) number++;
    taken.add(`${name}_${number}`);
    return `${name}_${number}`;
  });
}

function formatResult({ columns, rows }: QueryResult, format: "table" | "json" | "csv"): string {
  if (format === "json") {
    const names = uniqueNames(columns);
    return JSON.stringify(
      rows.map((row) => Object.fromEntries(names.map((name, index) => [name, row[index]]))),
      null,
      2,
    );
  }
  if (format === "csv") return [columns, ...rows].map((row) => row.map(formatCsvField).join(",")).join("\n");
  if (columns.length === 0) return "done";
  const table = new Table({ head: columns, style: { head: [], border: [] } });
  table.push(...rows.map((row) => row.map((value) => value ?? "NULL")));
  return `${table.toString()}\n${rows.length} ${rows.length === 1 ? "row" : "rows"}`;
}

/** `salesflow sql`. */
const command: AnyCommand = defineCommand({
  name: "sql",
  summary: "Query PostgreSQL or ClickHouse, embedded or configured",
  positionals: { placeholder: 'postgres|clickhouse "QUERY"', min: 2, max: 2 },
  options: {
    format: {
      help: "Output format: table, json (values as text, to avoid rounding) or csv",
      placeholder: "FORMAT",
      schema: z.enum(["table", "json", "csv"], "it must be table, json or csv").default("table"),
      defaultText: "table",
      flagOnly: true,
    },
    home: storeOptions.home,
    ...commonOptions,
  },
  databases: true,
  examples: [
    "salesflow sql postgres \"SELECT region, total_amount FROM shop.sales_aggregates WHERE level = 'region'\"",
    'salesflow sql clickhouse "SELECT import_date, count() FROM shop.sales_aggregates GROUP BY import_date" --format csv',
  ],
  async run(values, [database, query]) {
    if (database !== "postgres" && database !== "clickhouse") {
      throw new UsageError(
        [`Unknown database ${maskUrl(database ?? "")}: it must be postgres or clickhouse`],
        "See: salesflow sql --help",
      );
    }
    if (query!.trim() === "") throw new UsageError(["The query is empty"], "See: salesflow sql --help");
    await startLogging(values);
    const signal = stopSignal();
    const databases = await openDatabases(
      values.home,
      { [database]: true },
      readDatabaseUrls(),
      signal,
      shouldDrawProgress(values),
    );
    try {
      const result = database === "postgres"
        ? await queryPostgres(databases.postgresUrl, query!, signal)
        : await queryClickHouse(databases.clickhouseUrl, query!, signal);
      console.log(formatResult(result, values.format));
    } finally {
      await databases.close();
    }
  },
});
export default command;
