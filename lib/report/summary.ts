/** The run in a few tables, for a terminal. */
import Table from "cli-table3";
import { styleText } from "node:util";
import type { StageContext } from "../pipeline/stage.ts";
import { REASONS } from "../domain/sale.ts";
import type { Overview, Sums } from "./figures.ts";
import { amount, count, duration, millionths, rowsPerSecond, share } from "./format.ts";
import { readOverview } from "./read.ts";
import { productName } from "./words.ts";

/** How a summary may look. */
export interface SummaryOptions {
  /** Bold titles and cyan headings. @default {whether standard output is a terminal that wants colours} */
  colour?: boolean;
}

/** Longer product names are cut, so that the table fits on 100 columns. */
const NAME_WIDTH = 30;

type Align = "left" | "right";
type Cells = readonly string[];

/** The text in a style; whether the terminal likes colours was decided by whoever asks for them. */
function styled(style: "bold" | "cyan", text: string, colour: boolean): string {
  return colour ? styleText(style, text, { validateStream: false }) : text;
}

function draw(
  name: string,
  head: Cells,
  align: readonly Align[],
  rows: readonly Cells[],
  colour: boolean,
): string {
  const table = new Table({
    head: head.map((text) => styled("cyan", text, colour)),
    colAligns: [...align],
    style: { head: [], border: [], compact: true },
  });
  table.push(...rows.map((row) => [...row]));
  return `${styled("bold", name, colour)}\n${table.toString()}`;
}

function regionTable({ regions, total }: Overview, colour: boolean): string {
  const cells = (
    { sales, quantity, amountCents, averageCents, share }: Sums,
  ) => [count(sales), count(quantity), amount(amountCents), amount(averageCents), millionths(share)];
  return draw(
    "Regions",
    ["region", "sales", "units", "revenue, ₽", "average check, ₽", "share"],
    ["left", "right", "right", "right", "right", "right"],
    [...regions.map((region) => [region.region, ...cells(region)]), ["All", ...cells(total!)]],
    colour,
  );
}

/** A name without characters that would steer the terminal, cut to the column's width. */
function shortName(name: string): string {
  // deno-lint-ignore no-control-regex
  const harmless = name.replace(/[\0-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
  return harmless.length <= NAME_WIDTH ? harmless : `${harmless.slice(0, NAME_WIDTH - 1)}…`;
}

function productTable({ products }: Overview, colour: boolean): string {
  const catalogue = products.some(({ category }) => category !== undefined);
  const rows = products.map((product) => [
    shortName(productName(product)),
    ...(catalogue ? [shortName(product.category ?? "")] : []),
    count(product.sales),
    amount(product.amountCents),
    amount(product.averageCents),
    millionths(product.share),
  ]);
  const names: Cells = catalogue ? ["product", "category"] : ["product"];
  return draw(
    "Top products",
    [...names, "sales", "revenue, ₽", "average check, ₽", "share"],
    [...names.map((): Align => "left"), "right", "right", "right", "right"],
    rows,
    colour,
  );
}

function stageTable({ stages }: Overview, colour: boolean): string {
  const number = (value: number | null) => value === null ? "" : count(value);
  const rows = stages.map((record) => [
    record.stage,
    number(record.rows_in),
    number(record.rows_out),
    record.seconds === null ? record.status : duration(record.seconds),
    rowsPerSecond(record) ?? "",
  ]);
  const head = ["stage", "rows in", "rows out", "time", "rows/s"];
  return draw("Stages", head, ["left", "right", "right", "right", "right"], rows, colour);
}

function qualityTable({ quality }: Overview, colour: boolean): string {
  const { raw, clean, duplicates, rejected, byReason } = quality;
  const rows = [
    ["raw rows", count(raw), ""],
    ["clean", count(clean), share(clean, raw)],
    ["duplicates", count(duplicates), share(duplicates, raw)],
    ["rejected", count(rejected), share(rejected, raw)],
    ...REASONS.filter((reason) => byReason[reason] > 0)
      .map((reason) => [`  ${reason}`, count(byReason[reason]), share(BigInt(byReason[reason]), raw)]),
  ];
  return draw("Data quality", ["", "rows", "of raw"], ["left", "right", "right"], rows, colour);
}

/** The tables as text: stages, data quality, regions, products. */
export function renderSummary(overview: Overview, { colour = false }: SummaryOptions = {}): string {
  return [
    stageTable(overview, colour),
    qualityTable(overview, colour),
    ...(overview.total
      ? [regionTable(overview, colour), productTable(overview, colour)]
      : ["No sales passed the rules."]),
  ].join("\n\n");
}

/**
 * Reads a run's figures and gives them as text.
 *
 * @throws {SalesflowError} when the tables hold another run, or none
 */
export async function summary(context: StageContext, options: SummaryOptions = {}): Promise<string> {
  const { colour = Deno.stdout.isTerminal() && !Deno.noColor } = options;
  return renderSummary(await readOverview(context), { colour });
}
