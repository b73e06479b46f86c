/** The summary of a run for the terminal: a few tables. */
import Table from "cli-table3";
import { styleText } from "node:util";
import type { StageContext } from "../pipeline/stage.ts";
import { REASONS } from "../domain/sale.ts";
import type { Overview, Sums } from "./report_data.ts";
import {
  formatAmount,
  formatCount,
  formatDuration,
  formatMillionths,
  formatRowsPerSecond,
  formatShare,
} from "./format.ts";
import { readOverview } from "./read_overview.ts";
import { productName } from "./labels.ts";

/** Options of a summary. */
export interface SummaryOptions {
  /** Bold titles and cyan headers. @default {stdout is a terminal, and NO_COLOR is not set} */
  colour?: boolean;
}

/** Product names are truncated to this length, so that the table fits into 100 columns. */
const MAX_NAME_LENGTH = 30;

type Align = "left" | "right";
type Cells = readonly string[];

/** Applies a style. Does not check stdout, because the caller has decided about colours. */
function applyStyle(style: "bold" | "cyan", text: string, colour: boolean): string {
  return colour ? styleText(style, text, { validateStream: false }) : text;
}

function renderTable(
  name: string,
  head: Cells,
  align: readonly Align[],
  rows: readonly Cells[],
  colour: boolean,
): string {
  const table = new Table({
    head: head.map((text) => applyStyle("cyan", text, colour)),
    colAligns: [...align],
    style: { head: [], border: [], compact: true },
  });
  table.push(...rows.map((row) => [...row]));
  return `${applyStyle("bold", name, colour)}\n${table.toString()}`;
}

function renderRegions({ regions, total }: Overview, colour: boolean): string {
  const cells = (
    { sales, quantity, amountCents, averageCents, share }: Sums,
  ) => [
    formatCount(sales),
    formatCount(quantity),
    formatAmount(amountCents),
    formatAmount(averageCents),
    formatMillionths(share),
  ];
  return renderTable(
    "Regions",
    ["region", "sales", "units", "revenue, ₽", "average check, ₽", "share"],
    ["left", "right", "right", "right", "right", "right"],
    [...regions.map((region) => [region.region, ...cells(region)]), ["All", ...cells(total!)]],
    colour,
  );
}

/** Replaces terminal control characters in a name, and truncates it to the width of the column. */
function sanitizeName(name: string): string {
  // deno-lint-ignore no-control-regex
  const printable = name.replace(/[\0-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
  return printable.length <= MAX_NAME_LENGTH ? printable : `${printable.slice(0, MAX_NAME_LENGTH - 1)}…`;
}

function renderProducts({ products }: Overview, colour: boolean): string {
  const catalogue = products.some(({ category }) => category !== undefined);
  const rows = products.map((product) => [
    sanitizeName(productName(product)),
    ...(catalogue ? [sanitizeName(product.category ?? "")] : []),
    formatCount(product.sales),
    formatAmount(product.amountCents),
    formatAmount(product.averageCents),
    formatMillionths(product.share),
  ]);
  const names: Cells = catalogue ? ["product", "category"] : ["product"];
  return renderTable(
    "Top products",
    [...names, "sales", "revenue, ₽", "average check, ₽", "share"],
    [...names.map((): Align => "left"), "right", "right", "right", "right"],
    rows,
    colour,
  );
}

function renderStages({ stages }: Overview, colour: boolean): string {
  const number = (value: number | null) => value === null ? "" : formatCount(value);
  const rows = stages.map((record) => [
    record.stage,
    number(record.rows_in),
    number(record.rows_out),
    record.seconds === null ? record.status : formatDuration(record.seconds),
    formatRowsPerSecond(record) ?? "",
  ]);
  const head = ["stage", "rows in", "rows out", "time", "rows/s"];
  return renderTable("Stages", head, ["left", "right", "right", "right", "right"], rows, colour);
}

function renderQuality({ quality }: Overview, colour: boolean): string {
  const { raw, clean, duplicates, rejected, byReason } = quality;
  const rows = [
    ["raw rows", formatCount(raw), ""],
    ["clean", formatCount(clean), formatShare(clean, raw)],
    ["duplicates", formatCount(duplicates), formatShare(duplicates, raw)],
    ["rejected", formatCount(rejected), formatShare(rejected, raw)],
    ...REASONS.filter((reason) => byReason[reason] > 0)
      .map((
        reason,
      ) => [`  ${reason}`, formatCount(byReason[reason]), formatShare(BigInt(byReason[reason]), raw)]),
  ];
  return renderTable("Data quality", ["", "rows", "of raw"], ["left", "right", "right"], rows, colour);
}

/** Renders the tables: stages, data quality, regions, products. */
export function renderSummary(overview: Overview, { colour = false }: SummaryOptions = {}): string {
  return [
    renderStages(overview, colour),
    renderQuality(overview, colour),
    ...(overview.total
      ? [renderRegions(overview, colour), renderProducts(overview, colour)]
      : ["No sales passed validation."]),
  ].join("\n\n");
}

/**
 * Reads and renders the summary of a run.
 *
 * @throws {SalesflowError} when the tables hold another run, or none
 */
export async function summarizeRun(context: StageContext, options: SummaryOptions = {}): Promise<string> {
  const { colour = Deno.stdout.isTerminal() && !Deno.noColor } = options;
  return renderSummary(await readOverview(context), { colour });
}
