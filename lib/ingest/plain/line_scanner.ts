/** Finds the values of a line in its bytes. Lines that need more than that are left to `CsvReader`. No I/O. */
import type { CsvDialect } from "../formats/csv_records.ts";
import { viewOf } from "./bytes.ts";

const [LINE_FEED, RETURN, SPACE, QUOTE] = [10, 13, 32, 34];

/** First bytes of the characters that `trim` removes, in UTF-8, besides those of ASCII; of others, too. */
const BLANK_LEADS = [0xc2, 0xe1, 0xe2, 0xe3, 0xef];

/** Encodings in which each character is one byte. */
const SINGLE_BYTE = /^(?:windows-125\d|windows-874|iso-8859-\d+|koi8-[ru]|ibm866|macintosh|x-mac-cyrillic)$/;

/** Returns which bytes may begin a character that `trim` removes; undefined for an encoding whose bytes do not tell. */
function findBlankStarts(encoding: string): Uint8Array | undefined {
  const starts = new Uint8Array(256).fill(1, 0, SPACE + 1);
  if (encoding === "utf-8") {
    for (const byte of BLANK_LEADS) starts[byte] = 1;
    return starts;
  }
  if (!SINGLE_BYTE.test(encoding)) return undefined;
  const decoder = new TextDecoder(encoding, { ignoreBOM: true });
  for (let byte = 0x80; byte < 256; byte++) {
    if (decoder.decode(Uint8Array.of(byte)).trim() === "") starts[byte] = 1;
  }
  return starts;
}

/**
 * What a line is: `plain`, its values are between {@linkcode LineScanner.starts} and {@linkcode LineScanner.ends}; `blank`; or
 * `other`, which must be read as text.
 */
export type LineKind = "plain" | "blank" | "other";

/** Scans one line after the other. */
export class LineScanner {
  /** The text in which the line is. */
  bytes: Uint8Array = new Uint8Array();
  /** The same, to read several bytes at a time. */
  view: DataView = viewOf(this.bytes);
  /** Offset of the first byte of each value; a quoted value is without its quotes. */
  readonly starts: Int32Array;
  /** Offset behind the last byte of each value. */
  readonly ends: Int32Array;
  /** Offset behind the line, unless it is `other`. */
  next = 0;
  readonly #columns: number;
  readonly #delimiter: number;
  readonly #hasQuotes: boolean;
  /** Bytes at which something ends. */
  readonly #special = new Uint8Array(256);
  readonly #blankStarts: Uint8Array;

  private constructor(columns: number, { delimiter, quote }: CsvDialect, blankStarts: Uint8Array) {
    this.starts = new Int32Array(columns);
    this.ends = new Int32Array(columns);
    this.#columns = columns;
    this.#delimiter = delimiter.charCodeAt(0);
    this.#hasQuotes = quote === "csv";
    this.#blankStarts = blankStarts;
    for (const byte of [this.#delimiter, LINE_FEED, ...(quote === "none" ? [] : [QUOTE])]) {
      this.#special[byte] = 1;
    }
  }

  /** Creates a scanner; undefined when bytes of the encoding or the delimiter do not tell what a character is. */
  static create(columns: number, dialect: CsvDialect, encoding: string): LineScanner | undefined {
    const blankStarts = findBlankStarts(encoding);
    if (!blankStarts || columns === 0 || dialect.delimiter.charCodeAt(0) > 0x7f) return undefined;
    return new LineScanner(columns, dialect, blankStarts);
  }

  /** Changes to another text. */
  open(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.view = viewOf(bytes);
  }

  /**
   * Scans a line of {@linkcode bytes}.
   *
   * @param begin offset of its first byte, less than the length
   */
  scan(begin: number): LineKind {
    const { bytes, starts, ends } = this;
    const special = this.#special;
    const length = bytes.length;
    const first = bytes[begin]!;
    if (first === LINE_FEED || (first === RETURN && bytes[begin + 1] === LINE_FEED)) {
      this.next = begin + (first === LINE_FEED ? 1 : 2);
      return "blank";
    }
    // It may be blank, or begin with a byte order mark.
    if (this.#blankStarts[first] === 1) return "other";
    let field = 0;
    let at = begin;
    // One pass over bytes: every line of an export goes through here.
    for (;;) {
      let start = at;
      let end = -1;
      if (this.#hasQuotes && bytes[at] === QUOTE) {
        start++;
        for (at = start; at < length && bytes[at] !== QUOTE; at++) {
          if (bytes[at] === LINE_FEED) return "other";
        }
        end = at++;
        if (bytes[at] === RETURN && bytes[at + 1] === LINE_FEED) at++;
        if (bytes[at] !== this.#delimiter && bytes[at] !== LINE_FEED) return "other";
      } else while (at < length && special[bytes[at]!] === 0) at++;
      if (at >= length || field === this.#columns) return "other";
      const isLast = bytes[at] === LINE_FEED;
      if (!isLast && bytes[at] !== this.#delimiter) return "other"; // a quote within a value
      if (end < 0) end = isLast && at > start && bytes[at - 1] === RETURN ? at - 1 : at;
      starts[field] = start;
      ends[field] = end;
      field++;
      at++;
      if (isLast) break;
    }
    if (field !== this.#columns) return "other";
    this.next = at;
    return "plain";
  }

  /** Reports whether a value may begin with a character that `trim` removes. */
  mayBeginBlank(column: number): boolean {
    const start = this.starts[column]!;
    return start < this.ends[column]! && this.#blankStarts[this.bytes[start]!] === 1;
  }
}
