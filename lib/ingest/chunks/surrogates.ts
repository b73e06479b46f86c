/** Texts of a chunk that became surrogate keys, in the form in which threads send them. No I/O. */
import xxhash from "xxhash-wasm";
import { quoteField } from "../../dataset/csv_field.ts";
import type { SurrogateKey, SurrogateKeyBytes } from "../values/ids.ts";

const { h32, h32Raw } = await xxhash();

/** Texts and their surrogate keys. The same may occur more than once. */
export interface Surrogates {
  /** Lines of the directory: each key with its text. */
  lines: Uint8Array<ArrayBuffer>;
  /** Where each line ends in `lines`, in bytes. */
  ends: Uint32Array<ArrayBuffer>;
  /** Upper 32 bits of the keys. */
  high: Uint32Array<ArrayBuffer>;
  /** Lower 32 bits of the keys. */
  low: Uint32Array<ArrayBuffer>;
  /** Other hashes of the texts, by which texts with the same key are told apart. */
  checks: Uint32Array<ArrayBuffer>;
}

const INITIAL_TEXTS = 1 << 8;
const INITIAL_BYTES = 1 << 14;
/** Maximum number of bytes of a UTF-16 code unit in UTF-8. */
const MAX_UNIT_BYTES = 3;
const [COMMA, LINE_FEED] = [44, 10];

const encoder = new TextEncoder();

/** Collects the texts of a chunk. */
export class SurrogateCollector {
  readonly #seed: number;
  #lines = new Uint8Array(INITIAL_BYTES);
  #ends = new Uint32Array(INITIAL_TEXTS);
  #high = new Uint32Array(INITIAL_TEXTS);
  #low = new Uint32Array(INITIAL_TEXTS);
  #checks = new Uint32Array(INITIAL_TEXTS);
  #size = 0;
  #end = 0;

  /** Creates a collector. @param seed of the other hash: random, so that texts cannot be made to share both; the same for a run */
  constructor(seed: number) {
    this.#seed = seed;
  }

  /** Adds a text and its key. */
  add({ high, low, digits }: SurrogateKey, text: string): void {
    const line = `${digits},${quoteField(text)}\n`;
    this.#reserve(line.length * MAX_UNIT_BYTES);
    this.#end += encoder.encodeInto(line, this.#lines.subarray(this.#end)).written;
    this.#addKey(high, low, h32(text, this.#seed));
  }

  /** Adds a text in UTF-8 that needs no quotes, and its key. */
  addBytes({ high, low, digits }: SurrogateKeyBytes, text: Uint8Array): void {
    this.#reserve(digits.length + text.length + 2);
    const lines = this.#lines;
    let end = this.#end;
    for (let at = 0; at < digits.length; at++) lines[end++] = digits[at]!;
    lines[end++] = COMMA;
    for (let at = 0; at < text.length; at++) lines[end++] = text[at]!;
    lines[end++] = LINE_FEED;
    this.#end = end;
    this.#addKey(high, low, h32Raw(text, this.#seed));
  }

  /** Returns what was added since it was last taken. */
  take(): Surrogates {
    const size = this.#size;
    const [ends, high, low, checks] = [this.#ends, this.#high, this.#low, this.#checks].map((each) =>
      each.slice(0, size)
    );
    const lines = this.#lines.slice(0, this.#end);
    this.#size = this.#end = 0;
    return { lines, ends: ends!, high: high!, low: low!, checks: checks! };
  }

  #addKey(high: number, low: number, check: number): void {
    if (this.#size === this.#ends.length) {
      this.#ends = double(this.#ends);
      this.#high = double(this.#high);
      this.#low = double(this.#low);
      this.#checks = double(this.#checks);
    }
    const index = this.#size++;
    this.#ends[index] = this.#end;
    this.#high[index] = high;
    this.#low[index] = low;
    this.#checks[index] = check;
  }

  #reserve(bytes: number): void {
    if (this.#end + bytes <= this.#lines.length) return;
    const grown = new Uint8Array(Math.max(this.#end + bytes, this.#lines.length * 2));
    grown.set(this.#lines.subarray(0, this.#end));
    this.#lines = grown;
  }
}

function double(numbers: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const grown = new Uint32Array(numbers.length * 2);
  grown.set(numbers);
  return grown;
}
