/** The result of `salesflow prune` for people. */
import { formatBytes } from "../lib/console/bytes.ts";
import { type Column, formatColumns } from "../lib/console/columns.ts";
import { terminalWidth } from "../lib/console/table.ts";
import type { PruneResult } from "../lib/prune/prune.ts";

function count(number: number, singular: string, plural = `${singular}s`): string {
  return `${number.toLocaleString("en")} ${number === 1 ? singular : plural}`;
}

function runColumns({ runs }: PruneResult): Column[] {
  const bytes = (value: number | null) => value === null ? "" : formatBytes(value);
  return [
    { name: "run", cells: runs.map(({ run_id }) => run_id) },
    { name: "last used", cells: runs.map(({ last_used }) => `${last_used.slice(0, 10)} UTC`) },
    { name: "folder", right: true, cells: runs.map(({ folder_bytes }) => bytes(folder_bytes)) },
    {
      name: "rejected rows",
      right: true,
      cells: runs.map(({ rejected_rows }) =>
        rejected_rows === null ? "" : rejected_rows.toLocaleString("en")
      ),
    },
    {
      name: "their size",
      right: true,
      optional: 1,
      cells: runs.map(({ rejected_bytes }) => bytes(rejected_bytes)),
    },
  ];
}

/** Formats what was removed, or would be, what was kept although it is old, and the sum. */
export function formatPrune(result: PruneResult, width: number | undefined = terminalWidth()): string {
  const { dry_run, runs, import_dates, staging_tables, kept } = result;
  const parts = [
    count(runs.length, "run"),
    count(import_dates.length, "import date"),
    count(staging_tables.length, "staging table"),
  ];
  return [
    ...(runs.length > 0 ? [formatColumns(runColumns(result), width)] : []),
    ...import_dates.map(({ import_date, rows, bytes }) =>
      `ClickHouse, import date ${import_date}: ${count(rows, "row")}, ${formatBytes(bytes)}`
    ),
    ...staging_tables.map(({ database, name, bytes }) =>
      `${
        database === "postgres" ? "PostgreSQL" : "ClickHouse"
      }, shop.${name}, left by an interrupted stage: ${formatBytes(bytes)}`
    ),
    ...kept.map(({ run_id, reason }) => `Kept ${run_id}: ${reason}`),
    `${dry_run ? "Would remove" : "Removed"} ${parts.join(", ")}: ${formatBytes(result.bytes)}.${
      dry_run ? " Nothing was removed." : ""
    }`,
  ].join("\n");
}
