import { quoted, quoteField } from "../../lib/dataset/csv_field.ts";
import { z } from "zod";
import { withClickHouse } from "../../lib/clickhouse/session.ts";
import { readDatabaseUrls } from "../../lib/connection/database_urls.ts";
import { SalesflowError, UsageError } from "../../lib/console/errors.ts";
import { toPrintable } from "../../lib/console/printable.ts";
import { formatTable, terminalWidth } from "../../lib/console/table.ts";
import { maskUrl } from "../../lib/connection/mask_url.ts";
import { withPostgres } from "../../lib/postgres/session.ts";
import { type AnyCommand, defineCommand } from "../command.ts";
import { openDatabases } from "../databases.ts";
import { commonOptions, storeOptions } from "../options.ts";
import { resolveFromCaller } from "../paths.ts";
import { shouldDrawProgress, startLogging } from "../session.ts";
import { stopSignal } from "../stop_signal.ts";

/** A query result; values are text, as the database formats them. */
interface QueryResult {
  columns: string[];
  rows: (string | null)[][];
}

/** The format in which ClickHouse's results are read. */
const CLICKHOUSE_FORMAT = "JSONCompactStringsEachRowWithNames";
/** How it represents NULL. */
const CLICKHOUSE_NULL = "ᴺᵁᴸᴸ";
const NUMBER = /^[+-]?(\d+(\.\d*)?(e[+-]?\d+)?|inf(inity)?|nan)$/i;

async function queryPostgres(url: string, query: string, signal: AbortSignal): Promise<QueryResult> {
  return await withPostgres({ url, stage: "sql", signal }, (db) => db.queryTable(query));
}

/** Returns the bytes as the server sent them when the query sets the format. */
async function queryClickHouse(
  url: string,
  query: string,
  signal: AbortSignal,
): Promise<QueryResult | Uint8Array<ArrayBuffer>> {
  return await withClickHouse({ url, stage: "sql", signal }, async (db) => {
    const { body, format } = await db.read(query, CLICKHOUSE_FORMAT);
    if (format !== undefined && format !== CLICKHOUSE_FORMAT) return body;
    const lines = new TextDecoder().decode(body).trimEnd().split("\n").filter((line) => line !== "");
    const [columns = [], ...rows] = lines.map((line) => JSON.parse(line) as string[]);
    return {
      columns,
      rows: rows.map((row) => row.map((value) => value === CLICKHOUSE_NULL ? null : value)),
    };
  });
}

/** Escapes what a terminal would execute, but not tabs and the ends of lines. */
function toPrintableLines(text: string): string {
  return text.replace(/[^\t\n]+/g, (part) => toPrintable(part, Infinity));
}

/** Formats a value for a cell of a table; `↵` marks that its text continues in the next line. */
function formatCell(value: string | null): string {
  if (value === null) return "NULL";
  return value.split("\n").map((line) => toPrintable(line, Infinity)).join("↵\n");
}

function isNumeric(rows: QueryResult["rows"], column: number): boolean {
  return rows.some((row) => row[column] !== null) &&
    rows.every((row) => row[column] === null || NUMBER.test(row[column]!));
}

function formatCsvField(value: string | null): string {
  if (value === null) return "";
  return value === "" ? quoted(value) : quoteField(value);
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
  const table = formatTable(columns.map(formatCell), rows.map((row) => row.map(formatCell)), {
    right: columns.keys().filter((column) => isNumeric(rows, column)).toArray(),
    width: terminalWidth(),
  });
  return `${table}\n${rows.length} ${rows.length === 1 ? "row" : "rows"}`;
}

async function writeAll(bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await Deno.stdout.write(bytes.subarray(at));
}

async function print(
  result: QueryResult | Uint8Array<ArrayBuffer>,
  format: "table" | "json" | "csv",
): Promise<void> {
  const isTerminal = Deno.stdout.isTerminal();
  if (result instanceof Uint8Array) {
    if (!isTerminal) return await writeAll(result);
    const text = new TextDecoder().decode(result);
    if (text !== "") console.log(toPrintableLines(text).replace(/\n$/, ""));
    return;
  }
  const text = formatResult(result, format);
  // In a JSON string, an escaped character is the same character.
  console.log(isTerminal ? toPrintableLines(text) : text);
}

/** Reads the query from the argument, standard input or a file. */
async function readQuery(argument: string | undefined, file: string | undefined): Promise<string> {
  const remedy = 'Give the query in quotes, or "-" to read it from standard input, or --file FILE.';
  if (argument !== undefined && file !== undefined) {
    throw new UsageError(["The query is given twice"], remedy);
  }
  if (argument === undefined && file === undefined) {
    throw new UsageError(
      [
        Deno.stdin.isTerminal()
          ? "The query is missing"
          : 'The query is missing: standard input is read only when the query is "-"',
      ],
      remedy,
    );
  }
  let query = argument ?? "";
  if (argument === "-") query = await new Response(Deno.stdin.readable).text();
  else if (file !== undefined) {
    try {
      query = await Deno.readTextFile(resolveFromCaller(file));
    } catch (cause) {
      throw new SalesflowError(`Cannot read the query from ${toPrintable(file)}`, {
        remedy: "Check the path in --file.",
        exitCode: 2,
        cause,
      });
    }
  }
  if (query.trim() === "") throw new UsageError(["The query is empty"], remedy);
  return query;
}

/** `salesflow sql`. */
const command: AnyCommand = defineCommand({
  name: "sql",
  summary: "Query PostgreSQL or ClickHouse, embedded or configured",
  description: "A ClickHouse query with a FORMAT clause prints what the server sends, instead of --format.",
  positionals: { placeholder: 'postgres|clickhouse "QUERY"|-', min: 1, max: 2 },
  options: {
    file: {
      help: 'Read the query from this file; "-" as the query reads standard input',
      placeholder: "FILE",
      schema: z.string().min(1, "it must not be empty").optional(),
      flagOnly: true,
    },
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
    "salesflow sql postgres - < query.sql",
  ],
  async run(values, [database, argument]) {
    if (database !== "postgres" && database !== "clickhouse") {
      throw new UsageError(
        [`Unknown database ${maskUrl(database ?? "")}: it must be postgres or clickhouse`],
        "See: salesflow sql --help",
      );
    }
    const query = await readQuery(argument, values.file);
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
        ? await queryPostgres(databases.postgresUrl, query, signal)
        : await queryClickHouse(databases.clickhouseUrl, query, signal);
      await print(result, values.format);
    } finally {
      await databases.close();
    }
  },
});
export default command;
