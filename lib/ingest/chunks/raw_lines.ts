/** Formats rows as lines of a raw part, and keeps the line numbers of the export by blank lines. No I/O. */
import { quoted, quoteField, toSingleLine } from "../../dataset/csv_field.ts";
import { copyBytes, viewOf } from "../plain/bytes.ts";

const [COMMA, QUOTE, LINE_FEED, CARRIAGE_RETURN] = [44, 34, 10, 13];
/** Maximum number of bytes of a UTF-16 code unit in UTF-8. */
const MAX_UNIT_BYTES = 3;
const INITIAL_BYTES = 1 << 16;

const encoder = new TextEncoder();

/** Lines of a raw part, as UTF-8. */
export class RawLines {
  #bytes = new Uint8Array(INITIAL_BYTES);
  #view = viewOf(this.#bytes);
  #end = 0;
  /** Number of the line that comes next, counted from 1. */
  #line = 1;
  /** Number of rows. */
  rows = 0;

  /** Appends a row on a line, which is not above the last one. */
  add(fields: readonly string[], line: number): void {
    this.advance(line);
    for (let index = 0; index < fields.length; index++) {
      if (index > 0) this.appendComma();
      this.appendField(fields[index]!);
    }
    this.endRow();
  }

  /** Appends bytes of a value that needs no quotes. */
  appendBytes(bytes: DataView, begin: number, end: number): void {
    this.#reserve(end - begin);
    this.#end = copyBytes(bytes, begin, end, this.#view, this.#end);
  }

  /** Ends a value that is not the last one of its row. */
  appendComma(): void {
    this.#bytes[this.#end++] = COMMA;
  }

  /** Ends a row. */
  endRow(): void {
    this.#bytes[this.#end++] = LINE_FEED;
    this.#line++;
    this.rows++;
  }

  /** Appends a line of the export that is not a record, as a single value; clean rejects it as malformed_row. */
  addMalformed(text: string, line: number): void {
    this.advance(line);
    this.#appendText(quoted(toSingleLine(text)));
    this.endRow();
  }

  /** Appends blank lines up to a line. */
  advance(line: number): void {
    const blank = Math.max(0, line - this.#line);
    this.#reserve(blank);
    this.#bytes.fill(LINE_FEED, this.#end, this.#end + blank);
    this.#end += blank;
    this.#line += blank;
  }

  /** Returns all lines. */
  toBytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#end);
  }

  /** Appends a value, quoted if need be. Raw is line-based, so line breaks within a value become a space. */
  appendField(value: string): void {
    this.#reserve(value.length);
    const bytes = this.#bytes;
    let at = this.#end;
    for (let index = 0; index < value.length; index++) {
      const code = value.charCodeAt(index);
      if (code > 0x7f || code === COMMA || code === QUOTE || code === LINE_FEED || code === CARRIAGE_RETURN) {
        return this.#appendText(quoteField(toSingleLine(value)));
      }
      bytes[at++] = code;
    }
    this.#end = at;
  }

  #appendText(text: string): void {
    this.#reserve(text.length * MAX_UNIT_BYTES);
    this.#end += encoder.encodeInto(text, this.#bytes.subarray(this.#end)).written;
  }

  /** Makes room for bytes, and for the comma and the end of line around them. */
  #reserve(bytes: number): void {
    const needed = this.#end + bytes + 2;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#end));
    this.#bytes = grown;
    this.#view = viewOf(grown);
  }
}
