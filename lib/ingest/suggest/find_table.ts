/** Finds the table in the first lines of an export of which nothing is known. No I/O. */
import { CsvReader } from "../formats/csv_records.ts";
import { DELIMITERS } from "../formats/delimiter.ts";
import { MAX_HEADER_LINE } from "../source/find_header.ts";
import { isKnownName } from "./vocabulary.ts";

/** Values of one line. */
export interface TableRow {
  /** Its values. */
  values: readonly string[];
  /** Its line, from 1. */
  line: number;
}

/** A line that looks like a header. */
export interface FoundHeader {
  /** Names of the columns. */
  names: readonly string[];
  /** Its line, from 1. */
  line: number;
  /** How much it looks like one; what has no known name has at most the number of its columns. */
  score: number;
}

/** What a known name counts beside one that is only a text. */
const KNOWN_POINTS = 10;

function scoreHeader(values: readonly string[]): number {
  const filled = values.map((value) => value.trim()).filter((value) => value !== "");
  if (filled.length < 2) return 0;
  const texts = new Set(filled.filter((value) => /\p{L}|[#№]/u.test(value)));
  const known = [...texts].filter(isKnownName).length;
  return texts.size + known * KNOWN_POINTS - (filled.length - texts.size) * 3;
}

/** Returns the line among the first ones that looks most like a header, the first such; undefined when none does. */
export function findHeaderRow(rows: Iterable<TableRow>): FoundHeader | undefined {
  let best: FoundHeader | undefined;
  for (const { values, line } of rows) {
    if (line > MAX_HEADER_LINE) break;
    const score = scoreHeader(values);
    if (score > (best?.score ?? 0)) best = { names: values, line, score };
  }
  return best;
}

/** A delimited text that has been read. */
export interface FoundTable {
  /** Its header. */
  header: FoundHeader;
  /** Character between values. */
  delimiter: string;
  /** Its records below the header; undefined for lines that are none. */
  rows: (readonly string[] | undefined)[];
}

function quoteOf(delimiter: string): "csv" | "line" {
  return delimiter === "\t" ? "line" : "csv";
}

/** A header below which nothing fits still counts a little: all lines may be malformed. */
const MIN_FIT = 0.1;

/** Returns the share of lines below a header that have as many values, besides empty ones at their end. */
function shareOfFitting(rows: readonly TableRow[], { names, line: headerLine }: FoundHeader): number {
  const below = rows.filter(({ line }) => line > headerLine);
  const fits = ({ values }: TableRow) =>
    values.length >= names.length && values.slice(names.length).every((value) => value.trim() === "");
  return below.length === 0 ? 0 : below.filter(fits).length / below.length;
}

/**
 * Reads the beginning of a delimited text.
 *
 * @param isWhole whether the text is all of the file; else its last line is left out
 * @returns undefined when no line looks like a header
 */
export function findTable(text: string, isWhole: boolean, maxRows: number): FoundTable | undefined {
  let best: { header: FoundHeader; delimiter: string; score: number } | undefined;
  for (const delimiter of DELIMITERS) {
    const rows: TableRow[] = [];
    new CsvReader({ delimiter, quote: quoteOf(delimiter) }).read(text, 1, isWhole, (values, _, line) => {
      if (values) rows.push({ values, line });
      return line < MAX_HEADER_LINE ? undefined : false;
    });
    const header = findHeaderRow(rows);
    if (!header) continue;
    const score = header.score * (MIN_FIT + shareOfFitting(rows, header));
    if (score > (best?.score ?? 0)) best = { header, delimiter, score };
  }
  if (!best) return undefined;
  const { header, delimiter } = best;
  const reader = new CsvReader({ delimiter, quote: quoteOf(delimiter) });
  const rows: (readonly string[] | undefined)[] = [];
  reader.read(text, 1, isWhole, (values, _, line) => {
    if (line === header.line) reader.columns = header.names.length;
    if (line > header.line) rows.push(values);
    return rows.length < maxRows ? undefined : false;
  });
  return { header, delimiter, rows };
}
