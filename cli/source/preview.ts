/** `salesflow source preview`: how exports would come out. */
import { dateRange, type IsoDate, today } from "../../lib/domain/dates.ts";
import { formatMoney, fromCents } from "../../lib/domain/money.ts";
import { REGION_BY_NAME, SALE_COLUMNS } from "../../lib/domain/sale.ts";
import { convertRow, dayKey, splitLine } from "../../lib/clean/rules.ts";
import { toPrintable } from "../../lib/console/printable.ts";
import { formatTable, terminalWidth } from "../../lib/console/table.ts";
import { findInputs, folderOf } from "../../lib/ingest/inputs.ts";
import { preview, type PreviewedRow } from "../../lib/ingest/preview.ts";
import { parseCents } from "../../lib/ingest/source/record_mapper.ts";
import { loadSource, lookupLocations } from "../../lib/ingest/source/load_source.ts";
import { callerDirectory } from "../paths.ts";

const MAX_TEXT = 200;

/** Rows of one kind: ready, or rejected for a reason. */
interface Kind {
  rows: number;
  cents: bigint;
  first: PreviewedRow;
}

/** A value of the column region that is no region. */
interface Place {
  rows: number;
  /** Its first row. */
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

/** Places without a region that are named. */
const MAX_PLACES = 50;
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
  const places = new Map<string, Place>();
  const { excluded, texts } = await preview(inputs, rules, (row) => {
    if (shown.length < rows) shown.push(row);
    const values = splitLine(row.after);
    if (values) addPlace(places, values[REGION]!, row);
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

function addPlace(places: Map<string, Place>, region: string, row: PreviewedRow): void {
  if (region === "" || REGION_BY_NAME.has(region.toLowerCase())) return;
  const place = places.get(region);
  if (place) place.rows++;
  else places.set(region, { rows: 1, first: row });
}

/** Names places that have no region, the most frequent first, so that a person can add them to a lookup. */
function formatPlaces(places: ReadonlyMap<string, Place>, source: string): string[] {
  if (places.size === 0) return [];
  const sorted = [...places].sort(([, a], [, b]) => b.rows - a.rows);
  const more = sorted.length - MAX_PLACES;
  return [
    `These have no region; add them to the lookup of region in ${toPrintable(source)}, or give it a default:`,
    ...sorted.slice(0, MAX_PLACES).map(([place, { rows, first }]) =>
      `  ${toPrintable(place)}: ${rows} ${rows === 1 ? "line" : "lines"}, the first is ${
        toPrintable(first.file)
      } line ${first.line}`
    ),
    ...(more > 0 ? [`  and ${more} more`] : []),
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
