/** Fields of CSV files. No I/O. */

/** Quotes a field. */
export function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

/** Quotes a field if it needs quotes. */
export function quoteField(text: string): string {
  return /[",\r\n]/.test(text) ? quoted(text) : text;
}

const LINE_BREAKS = /[\r\n]+/g;

/** Replaces line breaks by a space, for files in which a row is a line. */
export function toSingleLine(text: string): string {
  return text.replace(LINE_BREAKS, " ");
}
