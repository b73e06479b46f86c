/** The text of an id, put together in bytes. No I/O. */
import type { Rule } from "../source/rule.ts";
import type { HeaderNames } from "../source/header_names.ts";
import { viewOf } from "./bytes.ts";
import type { LineScanner } from "./line_scanner.ts";

const [SPACE, COMMA, QUOTE, DELETE] = [32, 44, 34, 127];
/** First bytes of Cyrillic letters in UTF-8, none of which is a blank. */
const [CYRILLIC, MORE_CYRILLIC] = [0xd0, 0xd1];

/** Longer ids are read as text. */
const MAX_BYTES = 1 << 10;

/** Bytes that need quotes in the directory of ids, or are no text. */
const UNFIT = new Uint8Array(256).fill(1, 0, SPACE);
for (const byte of [COMMA, QUOTE, DELETE]) UNFIT[byte] = 1;

type Part = { column: number } | { text: Uint8Array };

/** Puts the ids of one line after the other together. */
export class IdText {
  /** The id that was put together last, and what is left of longer ones. */
  readonly bytes: Uint8Array = new Uint8Array(MAX_BYTES);
  /** The same. */
  readonly view: DataView = viewOf(this.bytes);
  readonly #parts: readonly Part[];
  /** Columns of which at least one must have a value. */
  readonly #columns: readonly number[];

  readonly #isUtf8: boolean;

  private constructor(parts: readonly Part[], isUtf8: boolean) {
    this.#parts = parts;
    this.#isUtf8 = isUtf8;
    this.#columns = parts.flatMap((part) => "column" in part ? [part.column] : []);
  }

  /**
   * Compiles a rule, without its default; undefined when it is no column and no join of columns, or a text in it needs quotes.
   *
   * @param isUtf8 whether the export is in UTF-8
   */
  static compile(rule: Rule, header: HeaderNames, isUtf8: boolean): IdText | undefined {
    if (rule.kind === "column") return new IdText([{ column: header.find(rule.column)! }], isUtf8);
    if (rule.kind !== "join") return undefined;
    const encoder = new TextEncoder();
    const parts: Part[] = [];
    for (const part of rule.parts) {
      if ("lineWithin" in part) return undefined;
      if (parts.length > 0) parts.push({ text: encoder.encode(rule.with) });
      const column = header.find(part.text);
      parts.push(column === undefined ? { text: encoder.encode(part.text) } : { column });
    }
    const isFit = parts.every((part) => "column" in part || !part.text.some((byte) => UNFIT[byte] === 1));
    const id = new IdText(parts, isUtf8);
    return isFit && id.#columns.length > 0 ? id : undefined;
  }

  /** Puts the id of a line together; returns its length in bytes, or −1 when it must be read as text. */
  write({ bytes, starts, ends }: LineScanner): number {
    const target = this.bytes;
    const isUtf8 = this.#isUtf8;
    let length = 0;
    let isEmpty = true;
    for (const part of this.#parts) {
      if ("text" in part) {
        const { text } = part;
        if (length + text.length > MAX_BYTES) return -1;
        for (let at = 0; at < text.length; at++) target[length++] = text[at]!;
        continue;
      }
      const begin = starts[part.column]!;
      const end = ends[part.column]!;
      if (begin === end) continue;
      isEmpty = false;
      if (length + end - begin > MAX_BYTES || !isEdge(bytes[begin]!) || !endsPlain(bytes, begin, end)) {
        return -1;
      }
      for (let at = begin; at < end; at++) {
        const byte = bytes[at]!;
        if (UNFIT[byte] === 1 || (byte > DELETE && !isUtf8)) return -1;
        target[length++] = byte;
      }
    }
    // An empty id may have a default.
    return isEmpty ? -1 : length;
  }
}

/** Reports whether a byte begins a character that is certainly no blank. */
function isEdge(byte: number): boolean {
  return (byte > SPACE && byte < DELETE) || byte === CYRILLIC || byte === MORE_CYRILLIC;
}

function endsPlain(bytes: Uint8Array, begin: number, end: number): boolean {
  const last = bytes[end - 1]!;
  return last > DELETE ? end - begin > 1 && isCyrillic(bytes[end - 2]!) : isEdge(last);
}

function isCyrillic(byte: number): boolean {
  return byte === CYRILLIC || byte === MORE_CYRILLIC;
}
