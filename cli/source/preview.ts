/** `salesflow source preview`: how exports would come out. */
import { dateRange, type IsoDate, today } from "../../lib/domain/dates.ts";
import { formatMoney, fromCents } from "../../lib/domain/money.ts";
import { SALE_COLUMNS } from "../../lib/domain/sale.ts";
import { convertRow, dayKey, splitLine } from "../../lib/clean/rules.ts";
import { toPrintable } from "../../lib/console/printable.ts";
import { formatTable, terminalWidth } from "../../lib/console/table.ts";
import { findInputs, folderOf } from "../../lib/ingest/inputs.ts";
import { preview, type PreviewedRow } from "../../lib/ingest/preview.ts";
import { parseCents } from "../../lib/ingest/source/record_mapper.ts";
import { loadSource, lookupLocations } from "../../lib/ingest/source/load_source.ts";
import { UnknownPlaces } from "../../lib/ingest/unknown_places.ts";
import { callerDirectory } from "../paths.ts";

const MAX_TEXT = 200;

/** Rows of one kind: ready, or rejected for a reason. */
interface Kind {
  rows: number;
  cents: bigint;
  first: PreviewedRow;
}

/** Options of the command. */
export interface PreviewOptions {
  /** Path or URL of the source file. */
  source: string;
  /** Exports; those of the source file by default. */
  files: readonly string[];
  /** Number of rows to show. */
  rows: number;
  /** As-of date; today by default. */
  asOf: IsoDate | undefined;
}

const REGION = SALE_COLUMNS.indexOf("region");
const AMOUNT = SALE_COLUMNS.indexOf("sale_amount");

/** Returns the text to print. @throws {SalesflowError} when the source file or an export is wrong */
export async function previewSource(
  { source, files, rows, asOf = today() }: PreviewOptions,
): Promise<string> {
  const rules = await loadSource(source);
  const base = files.length > 0 ? callerDirectory() : folderOf(source);
  const patterns = files.length > 0 ? files : rules.source.files;
  const inputs = await findInputs(patterns, base, "names", lookupLocations(rules));
  const { from, to } = dateRange(asOf);
  const range = { from: dayKey(from), to: dayKey(to) };
  const shown: PreviewedRow[] = [];
  const kinds = new Map<string, Kind>();
  const places = new UnknownPlaces();
  const { excluded, texts } = await preview(inputs, rules, (row) => {
    if (shown.length < rows) shown.push(row);
    const values = splitLine(row.after);
    if (values) places.add(values[REGION]!, row.file, row.line);
    const converted = values ? convertRow(values, range) : "malformed_row";
    const name = typeof converted === "string" ? converted : "ready";
    const cents = typeof converted === "string"
      ? parseCents(values?.[AMOUNT] ?? "") ?? 0n
      : BigInt(converted.amountCents);
    const kind = kinds.get(name);
    if (!kind) kinds.set(name, { rows: 1, cents, first: row });
    else {
      kind.rows++;
      kind.cents += cents;
    }
  });
  const width = terminalWidth();
  return [
    ...shown.map((row) => formatRow(row, texts)),
    formatCounts(kinds, excluded, width),
    ...formatPlaces(places, source),
    `Duplicates are found by clean. Dates are checked as of ${asOf}. Nothing was written.`,
  ].join("\n");
}

/** Names places that have no region, so that a person can add them to a lookup. */
function formatPlaces(places: UnknownPlaces, source: string): string[] {
  const lines = places.describe();
  if (lines.length === 0) return [];
  return [
    `These have no region; add them to the lookup of region in ${toPrintable(source)}, or give it a default:`,
    ...lines.map((line) => `  ${line}`),
  ];
}

function formatRow({ file, line, before, after }: PreviewedRow, texts: ReadonlyMap<string, string>): string {
  const values = splitLine(after);
  const named = values
    ? SALE_COLUMNS.map((column, index) => {
      const value = values[index]!;
      return `${column} ${
        toPrintable(column.endsWith("_id") ? texts.get(value) ?? value : value) || "(empty)"
      }`;
    }).join(", ")
    : "malformed_row";
  return `${toPrintable(file)} line ${line}\n  ${toPrintable(before.trimEnd(), MAX_TEXT)}\n  → ${named}\n`;
}

function formatCounts(
  kinds: ReadonlyMap<string, Kind>,
  excluded: Awaited<ReturnType<typeof preview>>["excluded"],
  width: number | undefined,
): string {
  const example = (file: string, line: number, text = "") =>
    `${toPrintable(file)} line ${line}${text === "" ? "" : `: ${toPrintable(text, MAX_TEXT)}`}`;
  const rows = [
    ...[...kinds].sort(([a], [b]) => Number(b === "ready") - Number(a === "ready")).map((
      [name, { rows, cents, first }],
    ) => [
      name === "ready" ? "ready for clean" : `rejected: ${name}`,
      String(rows),
      formatMoney(fromCents(cents)),
      name === "ready" ? "" : example(first.file, first.line, first.after),
    ]),
    ...[...excluded].map(([rule, { lines, cents, file, firstLine }]) => [
      `excluded: ${rule}`,
      String(lines),
      formatMoney(fromCents(cents)),
      example(file, firstLine),
    ]),
  ];
  return formatTable(["lines", "count", "amount", "first"], rows, { right: ["count", "amount"], width });
}
