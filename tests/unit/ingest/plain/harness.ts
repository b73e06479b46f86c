/** Scans lines for tests of columns. */
import { LineScanner } from "../../../../lib/ingest/plain/line_scanner.ts";
import { HeaderNames } from "../../../../lib/ingest/source/header_names.ts";

/** Names of a header of so many columns: A, B, …. */
export function headerOf(columns: number): HeaderNames {
  return new HeaderNames(Array.from({ length: columns }, (_, index) => String.fromCharCode(65 + index)));
}

/** Returns a scanner that stands on a line of values separated by commas, perhaps in quotes, of which the first is not blank. */
export function scan(text: string): LineScanner {
  const bytes = new TextEncoder().encode(`${text}\n`);
  const columns = text.replaceAll(/"[^"]*"/g, "").split(",").length;
  const line = LineScanner.create(columns, { delimiter: ",", quote: "csv" }, "utf-8")!;
  line.open(bytes);
  if (line.scan(0) !== "plain") throw new Error(`${text} is not plain`);
  return line;
}

/** What columns need to know of an export of so many columns in UTF-8. */
export function shapeOf(width: number): { width: number; decoder: TextDecoder } {
  return { width, decoder: new TextDecoder("utf-8", { ignoreBOM: true }) };
}
