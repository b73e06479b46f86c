/** Delimiters of exports. No I/O. */

/** Supported delimiters. */
export const DELIMITERS = [",", ";", "\t", "|"] as const;

/** Returns the delimiter that occurs most often outside quotes in a header line; a comma when there is none. */
export function detectDelimiter(headerLine: string): string {
  const outside = headerLine.split('"').filter((_, index) => index % 2 === 0).join("");
  const counts = DELIMITERS.map((delimiter) => outside.split(delimiter).length - 1);
  return DELIMITERS[counts.indexOf(Math.max(...counts))]!;
}
