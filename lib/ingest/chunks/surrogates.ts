/** Texts of a chunk that became surrogate keys, in the form in which threads send them. No I/O. */
import xxhash from "xxhash-wasm";
import { quoteField } from "../../dataset/csv_field.ts";
import type { SurrogateKey } from "../values/ids.ts";

const { h32 } = await xxhash();

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

/** Collects the texts of a chunk. */
export class SurrogateCollector {
  readonly #seed: number;
  #text = "";
  #ends: number[] = [];
  #high: number[] = [];
  #low: number[] = [];
  #checks: number[] = [];

  /** Creates a collector. @param seed of the other hash: random, so that texts cannot be made to share both; the same for a run */
  constructor(seed: number) {
    this.#seed = seed;
  }

  /** Adds a text and its key. */
  add({ high, low, digits }: SurrogateKey, text: string): void {
    this.#text += `${digits},${quoteField(text)}\n`;
    this.#ends.push(this.#text.length);
    this.#high.push(high);
    this.#low.push(low);
    this.#checks.push(h32(text, this.#seed));
  }

  /** Returns what was added since it was last taken. */
  take(): Surrogates {
    const lines = new TextEncoder().encode(this.#text);
    const ends = Uint32Array.from(this.#ends);
    if (lines.length !== this.#text.length) toByteOffsets(ends, lines);
    const [high, low, checks] = [this.#high, this.#low, this.#checks].map((each) => Uint32Array.from(each));
    this.#text = "";
    this.#ends = [];
    this.#high = [];
    this.#low = [];
    this.#checks = [];
    return { lines, ends, high: high!, low: low!, checks: checks! };
  }
}

/** Changes ascending offsets in a text into offsets in its UTF-8 bytes. */
function toByteOffsets(offsets: Uint32Array, bytes: Uint8Array): void {
  let [at, units] = [0, 0];
  for (let index = 0; index < offsets.length; index++) {
    while (units < offsets[index]!) {
      const first = bytes[at]!;
      // A character of four bytes takes two UTF-16 code units, any other one.
      units += first >= 0xf0 ? 2 : 1;
      at += first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    }
    offsets[index] = at;
  }
}
