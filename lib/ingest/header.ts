/** Which columns of an export are ours. No I/O. */
import { SalesflowError } from "../console/errors.ts";
import { SALE_COLUMNS } from "../domain/sale.ts";
import { printable } from "../console/printable.ts";

/** Separators that exports use. */
export const DELIMITERS = [",", ";", "\t"] as const;

/** Characters of a header that an error shows. */
const LONGEST_HEADER = 500;

/** Column names of an export by our names, where they differ. */
export type ColumnMap = Partial<Record<typeof SALE_COLUMNS[number], string>>;

/** The separator that occurs most often outside quotes in a header line; a comma when there is none. */
export function findDelimiter(headerLine: string): string {
  const outside = headerLine.split('"').filter((_, index) => index % 2 === 0).join("");
  const counts = DELIMITERS.map((delimiter) => outside.split(delimiter).length - 1);
  return DELIMITERS[counts.indexOf(Math.max(...counts))]!;
}

function normal(name: string): string {
  return name.trim().toLowerCase();
}

/**
 * Where each of our columns stands in the export.
 *
 * @param file for messages
 * @throws {SalesflowError} naming all columns that are missing or stand twice
 */
export function findColumns(header: readonly string[], map: ColumnMap, file: string): number[] {
  const names = header.map(normal);
  const mistakes: string[] = [];
  const places = SALE_COLUMNS.map((column) => {
    const wanted = map[column] ?? column;
    const place = names.indexOf(normal(wanted));
    if (place < 0) {
      mistakes.push(`there is no column ${wanted}${wanted === column ? "" : ` (for ${column})`}`);
    } else if (names.indexOf(normal(wanted), place + 1) >= 0) {
      mistakes.push(`the column ${wanted} stands twice`);
    }
    return place;
  });
  if (mistakes.length === 0) return places;
  throw new SalesflowError(
    `${file} line 1: ${mistakes.join("; ")}. Its columns are: ${
      printable(header.join(", "), LONGEST_HEADER)
    }`,
    { remedy: remedyFor(header, places), exitCode: 2, stage: "ingest" },
  );
}

/** What is behind columns that were not found, the likeliest cause first. */
function remedyFor(header: readonly string[], places: readonly number[]): string {
  if (/[\ufffd\0]/.test(header.join())) {
    return "The file is in another encoding: name it with --encoding, such as windows-1251 or utf-16le.";
  }
  if (header.length === 1) return "Columns must be separated by commas, semicolons or tabs.";
  return places.includes(-1)
    ? "Name the export's columns with --map, such as --map sale_id=order_no."
    : "Rename one of the equal columns in the export, or name another column with --map.";
}
