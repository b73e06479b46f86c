/** Finds the header of an export, and the delimiter with it. No I/O. */
import { SalesflowError } from "../../console/errors.ts";
import { toPrintable } from "../../console/printable.ts";
import { type CsvDialect, CsvReader } from "../formats/csv_records.ts";
import { DELIMITERS } from "../formats/delimiter.ts";
import { HeaderNames, type NeededColumn, neededColumns } from "./header_names.ts";
import type { SourceFile } from "./source_file.ts";

/** The header must begin on one of the first lines. */
export const MAX_HEADER_LINE = 100;

/** Maximum number of characters of a header in an error message. */
const MAX_SHOWN_CHARACTERS = 500;

/** A header. */
export interface Header {
  /** Names of the columns. */
  names: readonly string[];
  /** Its first line, counted from 1. */
  line: number;
  /** Its last line. */
  lastLine: number;
}

/** A line that may be the header. */
interface Candidate extends Header {
  dialect: CsvDialect;
  /** Number of needed columns that it lacks. */
  missing: number;
}

/** What a search needs to know. */
export interface HeaderSearch {
  /** Rules that name the columns. */
  source: SourceFile;
  /** Whether the rules come from `--map`, for remedies. */
  copies: boolean;
  /** Path of the export, for messages. */
  file: string;
}

function dialectOf(delimiter: string, { format: { quote } }: SourceFile): CsvDialect {
  const usual = delimiter === "\t" ? "line" : "csv";
  return { delimiter, quote: quote === undefined ? usual : quote === "none" ? "none" : "csv" };
}

/** Returns the offsets at which the first lines begin. */
function lineStarts(text: string): number[] {
  const starts = [0];
  while (starts.length < MAX_HEADER_LINE) {
    const end = text.indexOf("\n", starts.at(-1)!);
    if (end < 0 || end + 1 === text.length) break;
    starts.push(end + 1);
  }
  return starts;
}

/** Reads the record that begins at an offset; undefined when the line is blank or the record incomplete. */
function readRecord(
  text: string,
  start: number,
  isWhole: boolean,
  dialect: CsvDialect,
): { values: string[]; lines: number } | undefined {
  let end = text.indexOf("\n", start);
  if (end < 0) end = text.length;
  // Most records are one line; the rest of the text is looked at only when a quote stays open.
  const reader = new CsvReader(dialect);
  let found: { values: string[]; lines: number } | undefined;
  const read = (part: string, isLast: boolean) =>
    reader.read(part, 1, isLast, (values, _, line, lines) => {
      if (line === 1) found ??= { values: values!, lines };
      return false;
    });
  read(text.slice(start, end + 1), isWhole && end === text.length);
  const line = text.slice(start, end);
  if (!found && line.trim() !== "") read(text.slice(start), isWhole);
  return found;
}

function isBetter(candidate: Candidate, best: Candidate | undefined): boolean {
  if (!best || candidate.missing !== best.missing) return !best || candidate.missing < best.missing;
  if (candidate.missing === 0 && candidate.line !== best.line) return candidate.line < best.line;
  return candidate.names.length > best.names.length;
}

/** Returns the line that holds most needed columns, the first such; undefined when all lines are blank. */
function findBest(text: string, isWhole: boolean, source: SourceFile): Candidate | undefined {
  const needed = neededColumns(source);
  const { delimiter, header: fixedLine } = source.format;
  const starts = lineStarts(text);
  let best: Candidate | undefined;
  for (const dialect of (delimiter ? [delimiter] : DELIMITERS).map((each) => dialectOf(each, source))) {
    for (const [index, start] of starts.entries()) {
      if (fixedLine !== undefined && index + 1 !== fixedLine) continue;
      const record = readRecord(text, start, isWhole, dialect);
      if (!record) continue;
      const names = record.values;
      const header = new HeaderNames(names);
      const missing = needed.filter(({ name }) => header.find(name) === undefined).length;
      const line = index + 1;
      const candidate = { names, line, lastLine: line + record.lines - 1, dialect, missing };
      if (isBetter(candidate, best)) best = candidate;
    }
  }
  return best;
}

/**
 * Finds the header in the beginning of a delimited text: the line that the source file gives, or the first one that holds all
 * columns that it needs.
 *
 * @param text first lines of the file
 * @param isWhole whether the text is all of the file
 * @throws {SalesflowError} with all columns that are missing or occur twice, and the columns that there are
 */
export function findCsvHeader(
  text: string,
  isWhole: boolean,
  search: HeaderSearch,
): Header & { dialect: CsvDialect } {
  const best = findBest(text, isWhole, search.source);
  if (!best) throw noHeaderError(text, isWhole, search);
  checkHeader(best, search);
  return best;
}

/**
 * Finds the header among the first records of a table, such as a sheet of a workbook.
 *
 * @throws {SalesflowError} with all columns that are missing or occur twice, and the columns that there are
 */
export function findTableHeader(
  records: readonly { values: readonly string[]; line: number }[],
  search: HeaderSearch,
): Header {
  const needed = neededColumns(search.source);
  const fixedLine = search.source.format.header;
  let best: Header & { missing: number } | undefined;
  for (const { values, line } of records) {
    if (fixedLine === undefined ? line > MAX_HEADER_LINE : line !== fixedLine) continue;
    const header = new HeaderNames(values);
    const missing = needed.filter(({ name }) => header.find(name) === undefined).length;
    if (!best || missing < best.missing) best = { names: values, line, lastLine: line, missing };
  }
  if (!best) throw noHeaderError("", records.length === 0, search);
  checkHeader(best, search);
  return best;
}

/** Checks that a header has every needed column once. @throws {SalesflowError} otherwise */
export function checkHeader(
  { names, line }: Pick<Header, "names" | "line">,
  search: HeaderSearch,
): void {
  const { source, file } = search;
  const needed = neededColumns(source);
  const mistakes = new HeaderNames(names).findMistakes(needed);
  if (mistakes.length === 0) return;
  const found = toPrintable(names.join(", "), MAX_SHOWN_CHARACTERS);
  const place = line > 0 ? `${file} line ${line}` : file;
  throw new SalesflowError(`${place}: ${mistakes.join("; ")}. Its columns are: ${found}`, {
    remedy: remedyFor(names, mistakes, needed, search),
    exitCode: 2,
    stage: "ingest",
  });
}

/** Returns the error for a file without a header. @param isWhole whether the text is all of the file */
export function noHeaderError(
  text: string,
  isWhole: boolean,
  { file, source: { format } }: HeaderSearch,
): SalesflowError {
  const isEmpty = isWhole && text.trim() === "";
  return new SalesflowError(
    isEmpty
      ? `${file} is empty: it has no header`
      : `${file} has no header ${
        format.header === undefined ? `in its first ${MAX_HEADER_LINE} lines` : `on line ${format.header}`
      }`,
    { exitCode: 2, stage: "ingest", remedy: "Export the sales again, with a header." },
  );
}

/** Returns the remedy for the likeliest cause of columns that were not found. */
function remedyFor(
  names: readonly string[],
  mistakes: readonly string[],
  needed: readonly NeededColumn[],
  { source, copies }: HeaderSearch,
): string {
  if (/[\ufffd\0]/.test(names.join())) {
    return copies
      ? "The file has another encoding. Set it with --encoding, such as windows-1251 or utf-16le."
      : `The file has another encoding. Set it in ${source.path}, such as format: {encoding: windows-1251}.`;
  }
  if (names.length === 1 && needed.length > 1) {
    return "Separate the columns with commas, semicolons, tabs or |.";
  }
  const isMissing = mistakes.some((mistake) => mistake.startsWith("there is no"));
  if (!copies) {
    return isMissing
      ? `Name the columns in ${source.path} as the export does. Its header must be in the first ${MAX_HEADER_LINE} lines, or say format: {header: LINE}.`
      : `Rename one of the duplicate columns in the export, or name another column in ${source.path}.`;
  }
  return isMissing
    ? "Map the columns of the export with --map, such as --map sale_id=order_no."
    : "Rename one of the duplicate columns in the export, or map another column with --map.";
}
