/** Header of an export: detects its delimiter and maps its columns to ours. No I/O. */
import { SalesflowError } from "../console/errors.ts";
import { SALE_COLUMNS } from "../domain/sale.ts";
import { toPrintable } from "../console/printable.ts";

/** Supported delimiters. */
export const DELIMITERS = [",", ";", "\t"] as const;

/** Maximum number of characters of a header in an error message. */
const MAX_HEADER_CHARACTERS = 500;

/** Maps our column names to an export's, where they differ. */
export type ColumnMap = Partial<Record<typeof SALE_COLUMNS[number], string>>;

/** Returns the delimiter that occurs most often outside quotes in a header line; a comma when there is none. */
export function detectDelimiter(headerLine: string): string {
  const outside = headerLine.split('"').filter((_, index) => index % 2 === 0).join("");
  const counts = DELIMITERS.map((delimiter) => outside.split(delimiter).length - 1);
  return DELIMITERS[counts.indexOf(Math.max(...counts))]!;
}

function normalizeName(name: string): string {
  return name.trim().toLowerCase();
}

/**
 * Returns the index of each of our columns in the export.
 *
 * @param header column names of the export
 * @param map names of our columns in the export, where they differ
 * @param file path for error messages
 * @throws {SalesflowError} with all columns that are missing or ambiguous
 */
export function findColumns(header: readonly string[], map: ColumnMap, file: string): number[] {
  const names = header.map(normalizeName);
  const problems: string[] = [];
  const indexes = SALE_COLUMNS.map((column) => {
    const name = map[column] ?? column;
    const index = names.indexOf(normalizeName(name));
    if (index < 0) {
      problems.push(`there is no column ${name}${name === column ? "" : ` (for ${column})`}`);
    } else if (names.indexOf(normalizeName(name), index + 1) >= 0) {
      problems.push(`the column ${name} occurs twice`);
    }
    return index;
  });
  if (problems.length === 0) return indexes;
  throw new SalesflowError(
    `${file} line 1: ${problems.join("; ")}. Its columns are: ${
      toPrintable(header.join(", "), MAX_HEADER_CHARACTERS)
    }`,
    { remedy: remedyFor(header, indexes), exitCode: 2, stage: "ingest" },
  );
}

/** Returns the remedy for the likeliest cause of columns that were not found. */
function remedyFor(header: readonly string[], indexes: readonly number[]): string {
  if (/[\ufffd\0]/.test(header.join())) {
    return "The file has another encoding. Set it with --encoding, such as windows-1251 or utf-16le.";
  }
  if (header.length === 1) return "Separate the columns with commas, semicolons or tabs.";
  return indexes.includes(-1)
    ? "Map the columns of the export with --map, such as --map sale_id=order_no."
    : "Rename one of the duplicate columns in the export, or map another column with --map.";
}
