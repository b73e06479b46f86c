/** The summary of a run for the terminal: a few tables. */
import { type Column, formatColumns } from "../console/columns.ts";
import { hasColour, paint } from "../console/color.ts";
import { toPrintable } from "../console/printable.ts";
import { terminalWidth } from "../console/table.ts";
import type { StageContext } from "../pipeline/stage.ts";
import { REASONS } from "../domain/sale.ts";
import type { Overview, RunFacts, Sums } from "./report_data.ts";
import {
  formatAmount,
  formatCount,
  formatDuration,
  formatMillionths,
  formatRowsPerSecond,
  formatShare,
} from "./format.ts";
import { currencySign } from "./currency.ts";
import { readOverview } from "./read_overview.ts";
import { productName } from "./labels.ts";
import { describeVerification } from "./verification.ts";

/** Options of a summary. */
export interface SummaryOptions {
  /** Bold titles, cyan headers, and a green or yellow last line. @default {hasColour(Deno.stdout)} */
  colour?: boolean;
  /** Columns of the terminal. @default {terminalWidth()} */
  width?: number | undefined;
}

/** Warnings are truncated to this length. */
const MAX_WARNING_LENGTH = 1_000;
/** Product names are truncated to this length. */
const MAX_NAME_LENGTH = 30;

function renderTable(
  name: string,
  columns: readonly Column[],
  { colour = false, width }: SummaryOptions,
): string {
  const lines = formatColumns(columns, width).split("\n");
  // The first line is the border.
  const drawn = lines.map((line, index) =>
    index === 1 ? line.replace(/[^│]+/g, (text) => paint("cyan", text, colour)) : line
  );
  return [paint("bold", name, colour), ...drawn].join("\n");
}

function renderRegions({ run, regions, total }: Overview, options: SummaryOptions): string {
  const rows = [...regions, { region: "All", ...total! }];
  return renderTable("Regions", [
    { name: "region", cells: rows.map(({ region }) => region) },
    { name: "sales", right: true, cells: rows.map(({ sales }) => formatCount(sales)) },
    { name: "units", right: true, optional: 1, cells: rows.map(({ quantity }) => formatCount(quantity)) },
    ...amountColumns(rows, run),
  ], options);
}

function amountColumns(rows: readonly Sums[], { currency }: RunFacts): Column[] {
  const sign = currencySign(currency);
  return [
    {
      name: `revenue, ${sign}`,
      right: true,
      cells: rows.map(({ amountCents }) => formatAmount(amountCents)),
    },
    {
      name: `average, ${sign}`,
      right: true,
      cells: rows.map(({ averageCents }) => formatAmount(averageCents)),
    },
    { name: "share", right: true, cells: rows.map(({ share }) => formatMillionths(share)) },
  ];
}

/** Replaces terminal control characters in a name, and truncates it to the width of the column. */
function sanitizeName(name: string): string {
  // deno-lint-ignore no-control-regex
  const printable = name.replace(/[\0-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
  return printable.length <= MAX_NAME_LENGTH ? printable : `${printable.slice(0, MAX_NAME_LENGTH - 1)}…`;
}

function renderProducts({ run, products }: Overview, options: SummaryOptions): string {
  const catalogue = products.some(({ category }) => category !== undefined);
  const category: Column = {
    name: "category",
    optional: 1,
    cells: products.map(({ category }) => sanitizeName(category ?? "")),
  };
  return renderTable("Top products", [
    { name: "product", cells: products.map((product) => sanitizeName(productName(product))) },
    ...(catalogue ? [category] : []),
    { name: "sales", right: true, cells: products.map(({ sales }) => formatCount(sales)) },
    ...amountColumns(products, run),
  ], options);
}

function renderStages({ stages }: Overview, options: SummaryOptions): string {
  // Stages without rows, such as migrate, have 0.
  const number = (value: number | null) => value ? formatCount(value) : "";
  return renderTable("Stages", [
    { name: "stage", cells: stages.map(({ stage }) => stage) },
    { name: "rows in", right: true, cells: stages.map(({ rows_in }) => number(rows_in)) },
    { name: "rows out", right: true, cells: stages.map(({ rows_out }) => number(rows_out)) },
    {
      name: "time",
      right: true,
      cells: stages.map(({ seconds, status }) => seconds === null ? status : formatDuration(seconds)),
    },
    { name: "rows/s", right: true, cells: stages.map((record) => formatRowsPerSecond(record) ?? "") },
  ], options);
}

function renderQuality({ run, quality }: Overview, options: SummaryOptions): string {
  const { raw, clean, duplicates, rejected, byReason, amounts } = quality;
  const reasons = REASONS.filter((reason) => byReason[reason] > 0);
  const counts: [name: string, rows: bigint][] = [
    ["clean", clean],
    ["duplicates", duplicates],
    ["rejected", rejected],
    ...reasons.map((reason): [string, bigint] => [`  ${reason}`, BigInt(byReason[reason])]),
  ];
  const amount = (cents: bigint, rows: bigint) => rows > 0n ? formatAmount(cents) : "–";
  const sums = reasons.flatMap((reason) => amounts?.[reason] ?? []);
  const allRows = sums.reduce((sum, { rows }) => sum + rows, 0n);
  const allCents = sums.reduce((sum, { amountCents }) => sum + amountCents, 0n);
  const amountColumn: Column = {
    name: `amount, ${currencySign(run.currency)}`,
    right: true,
    cells: [
      "",
      "",
      "",
      reasons.length > 0 ? amount(allCents, allRows) : "",
      ...sums.map(({ rows, amountCents }) => amount(amountCents, rows)),
    ],
  };
  return renderTable("Data quality", [
    { name: "", cells: ["raw rows", ...counts.map(([name]) => name)] },
    { name: "rows", right: true, cells: [raw, ...counts.map(([, rows]) => rows)].map(formatCount) },
    { name: "of raw", right: true, cells: ["", ...counts.map(([, rows]) => formatShare(rows, raw))] },
    ...(amounts ? [amountColumn] : []),
  ], options);
}

/** Renders what ingest left out on purpose. */
function renderExclusions({ run, exclusions }: Overview, options: SummaryOptions): string {
  return renderTable("Left out on purpose", [
    { name: "rule", cells: exclusions.map(({ rule }) => toPrintable(rule)) },
    { name: "lines", right: true, cells: exclusions.map(({ lines }) => formatCount(lines)) },
    {
      name: `amount, ${currencySign(run.currency)}`,
      right: true,
      cells: exclusions.map(({ amountCents }) => formatAmount(amountCents)),
    },
  ], options);
}

/** Renders what should be checked in the mapping of the exports. */
function renderWarnings({ warnings }: Overview, { colour = false }: SummaryOptions): string {
  const lines = warnings.map((warning) => `- ${toPrintable(warning, MAX_WARNING_LENGTH)}.`);
  return [paint("yellow", "Please check", colour), ...lines].join("\n");
}

function renderVerification({ stages }: Overview, { colour = false }: SummaryOptions): string {
  const { verified, text } = describeVerification(stages);
  return paint(verified ? "green" : "yellow", text, colour);
}

/** Renders the tables (stages, data quality, regions, products), what should be checked, and whether the run is verified. */
export function renderSummary(overview: Overview, options: SummaryOptions = {}): string {
  return [
    renderStages(overview, options),
    renderQuality(overview, options),
    ...(overview.exclusions.length > 0 ? [renderExclusions(overview, options)] : []),
    ...(overview.warnings.length > 0 ? [renderWarnings(overview, options)] : []),
    ...(overview.total
      ? [renderRegions(overview, options), renderProducts(overview, options)]
      : ["No sales passed validation."]),
    renderVerification(overview, options),
  ].join("\n\n");
}

/**
 * Reads and renders the summary of a run.
 *
 * @throws {SalesflowError} when the tables hold another run, or none
 */
export async function summarizeRun(context: StageContext, options: SummaryOptions = {}): Promise<string> {
  const { colour = hasColour(Deno.stdout), width = terminalWidth() } = options;
  return renderSummary(await readOverview(context), { colour, width });
}
