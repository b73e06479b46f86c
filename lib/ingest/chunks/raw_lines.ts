/** Formats rows as lines of a raw part, and keeps the line numbers of the export by blank lines. No I/O. */
import { quoteField, toSingleLine } from "../../dataset/csv_field.ts";

const SPECIAL = /[",\r\n]/;

/** Formats a value as a field of a raw line. Raw is line-based, so line breaks within a value become a space. */
function formatField(value: string): string {
  return SPECIAL.test(value) ? quoteField(toSingleLine(value)) : value;
}

/** Lines of a raw part, as text. */
export class RawLines {
  #text = "";
  /** Number of the line that comes next, counted from 1. */
  #line = 1;
  /** Number of rows. */
  rows = 0;

  /** Appends a row on a line, which is not above the last one. */
  add(fields: readonly string[], line: number): void {
    this.advance(line);
    let text = formatField(fields[0]!);
    for (let index = 1; index < fields.length; index++) text += "," + formatField(fields[index]!);
    this.#append(text);
  }

  /** Appends a line of the export that is not a record, as a single value; clean rejects it as malformed_row. */
  addMalformed(text: string, line: number): void {
    this.advance(line);
    this.#append(`"${toSingleLine(text).replaceAll('"', '""')}"`);
  }

  /** Appends blank lines up to a line. */
  advance(line: number): void {
    for (; this.#line < line; this.#line++) this.#text += "\n";
  }

  /** Returns all lines. */
  toBytes(): Uint8Array<ArrayBuffer> {
    return new TextEncoder().encode(this.#text);
  }

  #append(line: string): void {
    this.#text += line + "\n";
    this.#line++;
    this.rows++;
  }
}
