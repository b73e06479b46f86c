import Table from "cli-table3";
import { z } from "zod";
import { withClickHouse } from "../../lib/clickhouse/session.ts";
import { databaseUrls } from "../../lib/connection/database_urls.ts";
import { UsageError } from "../../lib/console/errors.ts";
import { maskUrl } from "../../lib/connection/mask_url.ts";
import { withPostgres } from "../../lib/postgres/session.ts";
import { defineCommand } from "../command.ts";
import { openDatabases } from "../databases.ts";
import { commonOptions, storeOptions } from "../options.ts";
import { drawsProgress, startLogging } from "../session.ts";
import { stopSignal } from "../stop_signal.ts";

/** An answer; values are text, as the database writes them. */
interface Answer {
  columns: string[];
  rows: (string | null)[][];
}

/** How ClickHouse writes NULL where every value is a text. */
const CLICKHOUSE_NULL = "ᴺᵁᴸᴸ";

async function askPostgres(url: string, query: string, signal: AbortSignal): Promise<Answer> {
  return await withPostgres({ url, stage: "sql", signal }, (db) => db.answer(query));
}

async function askClickHouse(url: string, query: string, signal: AbortSignal): Promise<Answer> {
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
        ["Cannot show an answer in a format of its own"],
        "Leave FORMAT out of the query; see --format.",
      );
    }
  });
}

function csvField(value: string | null): string {
  if (value === null) return "";
  return value === "" || /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

/** Names for the members of an object: of equal ones the later get a number, so that none is lost. */
function distinct(columns: readonly string[]): string[] {
  const taken = new Set(columns);
  return columns.map((name, index) => {
    if (columns.indexOf(name) === index) return name;
    let number = 2;
    while (taken.has(`${name}_${number}`)) number++;
    taken.add(`${name}_${number}`);
    return `${name}_${number}`;
  });
}

function written({ columns, rows }: Answer, format: "table" | "json" | "csv"): string {
  if (format === "json") {
    const names = distinct(columns);
    return JSON.stringify(
      rows.map((row) => Object.fromEntries(names.map((name, index) => [name, row[index]]))),
      null,
      2,
    );
  }
  if (format === "csv") return [columns, ...rows].map((row) => row.map(csvField).join(",")).join("\n");
  if (columns.length === 0) return "done";
  const table = new Table({ head: columns, style: { head: [], border: [] } });
  table.push(...rows.map((row) => row.map((value) => value ?? "NULL")));
  return `${table.toString()}\n${rows.length} ${rows.length === 1 ? "row" : "rows"}`;
}

export default defineCommand({
  name: "sql",
  summary: "Ask PostgreSQL or ClickHouse, embedded or configured",
  positionals: { placeholder: 'postgres|clickhouse "QUERY"', min: 2, max: 2 },
  options: {
    format: {
      help: "table, json (values as text, so that nothing is rounded) or csv",
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
        [`Cannot ask ${maskUrl(database ?? "")}: it must be postgres or clickhouse`],
        "See: salesflow sql --help",
      );
    }
    if (query!.trim() === "") throw new UsageError(["The query is empty"], "See: salesflow sql --help");
    await startLogging(values);
    const signal = stopSignal();
    const databases = await openDatabases(
      values.home,
      { [database]: true },
      databaseUrls(),
      signal,
      drawsProgress(values),
    );
    try {
      const answer = database === "postgres"
        ? await askPostgres(databases.postgresUrl, query!, signal)
        : await askClickHouse(databases.clickhouseUrl, query!, signal);
      console.log(written(answer, values.format));
    } finally {
      await databases.close();
    }
  },
});
