/** Columns that are computed as text once for each combination of bytes that they depend on. No I/O. */
import { quoteField, toSingleLine } from "../../dataset/csv_field.ts";
import type { Line } from "../source/compile_rule.ts";
import { ByteMemo, MAX_MEMO_BYTES } from "./byte_memo.ts";
import { copyBytes, viewOf } from "./bytes.ts";
import type { LineScanner } from "./line_scanner.ts";

/** Combinations, and bytes of them, that are kept. */
const MAX_KEPT = 1 << 17;
const MAX_KEPT_BYTES = 8 << 20;
/** Longer combinations are not kept. */
const MAX_KEY_BYTES = 1 << 12;

const encoder = new TextEncoder();

/** Columns of the export, and how a record of which only they are there is computed. */
export interface Computation<Value> {
  /** Indexes of the columns. */
  columns: readonly number[];
  /** Computes a value. */
  compute: (line: Line) => Value;
}

/** How the export is written. */
export interface ExportShape {
  /** Number of columns. */
  width: number;
  /** Decoder of the encoding. */
  decoder: TextDecoder;
}

/** Finds what was computed before for the bytes of some columns. */
class Combinations {
  readonly #columns: readonly number[];
  readonly #memo = new ByteMemo();
  readonly #key = viewOf(new Uint8Array(MAX_KEY_BYTES));
  readonly #record: string[];
  readonly #decoder: TextDecoder;
  /** Where the key of the last line is. */
  #bytes = this.#key;
  #begin = 0;
  #end = 0;

  constructor(columns: readonly number[], { width, decoder }: ExportShape) {
    this.#columns = columns;
    this.#record = new Array<string>(width).fill("");
    this.#decoder = decoder;
  }

  /** The memo, whose value is that of the line that was found or added last. */
  get memo(): ByteMemo {
    return this.#memo;
  }

  /** Looks for the combination of a line. */
  find(line: LineScanner): boolean {
    const columns = this.#columns;
    if (columns.length === 1) {
      const column = columns[0]!;
      this.#bytes = line.view;
      this.#begin = line.starts[column]!;
      this.#end = line.ends[column]!;
    } else if (!this.#join(line)) return false;
    return this.#memo.find(this.#bytes, this.#begin, this.#end);
  }

  /** Adds the combination that was just not found; returns false when that or its value is too long to be kept. */
  add(value: DataView): boolean {
    if (this.#end - this.#begin > MAX_KEY_BYTES || value.byteLength > MAX_MEMO_BYTES) return false;
    this.#memo.add(this.#bytes, this.#begin, this.#end, value);
    return true;
  }

  /** Reports whether there are so many that all should be forgotten. */
  get isFull(): boolean {
    return this.#memo.size >= MAX_KEPT || this.#memo.bytes >= MAX_KEPT_BYTES;
  }

  clear(): void {
    this.#memo.clear();
  }

  /** Returns a line with the values of these columns. */
  decode({ bytes, starts, ends }: LineScanner): Line {
    for (const column of this.#columns) {
      this.#record[column] = this.#decoder.decode(bytes.subarray(starts[column], ends[column]));
    }
    return { values: this.#record, numbers: [] };
  }

  /** Makes one key of several columns; returns false when it is too long. */
  #join({ view, starts, ends }: LineScanner): boolean {
    const columns = this.#columns;
    const key = this.#key;
    let end = 0;
    this.#begin = 0;
    this.#end = MAX_KEY_BYTES + 1;
    for (let index = 0; index < columns.length; index++) {
      const from = starts[columns[index]!]!;
      const to = ends[columns[index]!]!;
      if (end + to - from + 2 > MAX_KEY_BYTES) return false;
      // The length goes before the bytes, so that no two combinations have the same key.
      key.setUint16(end, to - from);
      end = copyBytes(view, from, to, key, end + 2);
    }
    this.#bytes = key;
    this.#end = end;
    return true;
  }
}

/** Remembers values of any kind. */
export class ComputedColumn<Value> {
  readonly #combinations: Combinations;
  readonly #compute: (line: Line) => Value;
  readonly #values: Value[] = [];
  readonly #index = viewOf(new Uint8Array(4));

  /** Creates a column. */
  constructor({ columns, compute }: Computation<Value>, shape: ExportShape) {
    this.#combinations = new Combinations(columns, shape);
    this.#compute = compute;
  }

  /** Returns the value for a line. */
  get(line: LineScanner): Value {
    const combinations = this.#combinations;
    if (combinations.find(line)) {
      const { values, begin } = combinations.memo;
      return this.#values[values.getUint32(begin)]!;
    }
    const value = this.#compute(combinations.decode(line));
    if (combinations.isFull) this.clear();
    this.#index.setUint32(0, this.#values.length);
    if (combinations.add(this.#index)) this.#values.push(value);
    return value;
  }

  /** Forgets everything. */
  clear(): void {
    this.#combinations.clear();
    this.#values.length = 0;
  }
}

/** Remembers texts, as UTF-8 in the form of raw/. */
export class ComputedText {
  /** The text that was found last is between {@linkcode begin} and {@linkcode end}. */
  bytes: DataView = viewOf(new Uint8Array());
  /** Offset of its first byte. */
  begin = 0;
  /** Offset behind its last byte. */
  end = 0;
  readonly #combinations: Combinations;
  readonly #compute: (line: Line) => string;

  /** Creates a column. */
  constructor({ columns, compute }: Computation<string>, shape: ExportShape) {
    this.#combinations = new Combinations(columns, shape);
    this.#compute = compute;
  }

  /**
   * Finds the text for a line.
   *
   * @param known computes it from the bytes, if that can be done; returns undefined otherwise
   */
  find(line: LineScanner, known?: (line: LineScanner) => DataView | undefined): void {
    const combinations = this.#combinations;
    if (!combinations.find(line)) {
      const text = known?.(line) ?? toField(this.#compute(combinations.decode(line)));
      if (combinations.isFull) this.clear();
      if (!combinations.add(text)) {
        this.bytes = text;
        this.begin = 0;
        this.end = text.byteLength;
        return;
      }
    }
    const { values, begin, end } = combinations.memo;
    this.bytes = values;
    this.begin = begin;
    this.end = end;
  }

  /** Forgets everything. */
  clear(): void {
    this.#combinations.clear();
  }
}

function toField(text: string): DataView {
  return viewOf(encoder.encode(quoteField(toSingleLine(text))));
}
