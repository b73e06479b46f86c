/** Fields of CSV files. No I/O. */

/** Quotes a field if it needs quotes. */
export function quoteField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const LINE_BREAKS = /[\r\n]+/g;

/** Replaces line breaks by a space, for files in which a row is a line. */
export function toSingleLine(text: string): string {
  return text.replace(LINE_BREAKS, " ");
}
