/** Remembers which surrogate keys have been met, in 8 bytes a slot, and notices texts that may share one. No I/O. */
import xxhash from "xxhash-wasm";
import { FIRST_SURROGATE_KEY } from "../values/ids.ts";

const { h32 } = await xxhash();

const INITIAL_SLOTS = 1 << 12;
const MAX_LOAD = 0.7;

/** Open-addressing hash table of keys with 16 bits of another hash of their texts. */
export class SurrogateIndex {
  /** Lower 32 bits of the keys. */
  #low = new Uint32Array(INITIAL_SLOTS);
  /** The next 16 bits of the key, then 16 bits of the other hash; 0 is an empty slot. */
  #tags = new Uint32Array(INITIAL_SLOTS);
  #size = 0;
  readonly #seed: number;
  /** Keys whose texts must be compared: two of them may share the key. */
  readonly suspects: Set<bigint> = new Set();

  /** Creates an index. @param seed random, so that texts cannot be made to share both hashes */
  constructor(seed: number) {
    this.#seed = seed;
  }

  /** Number of keys. */
  get size(): number {
    return this.#size;
  }

  /** Adds a text and its key; returns whether it is new. */
  add(key: bigint, text: string): boolean {
    if (this.#size >= this.#low.length * MAX_LOAD) this.#grow();
    const rest = key - FIRST_SURROGATE_KEY;
    const low = Number(rest & 0xffffffffn);
    const middle = Number((rest >> 32n) & 0xffffn);
    const tag = ((middle << 16 | h32(text, this.#seed) >>> 16) >>> 0) || 1;
    const mask = this.#low.length - 1;
    for (let slot = low & mask;; slot = (slot + 1) & mask) {
      if (this.#tags[slot] === 0) {
        this.#low[slot] = low;
        this.#tags[slot] = tag;
        this.#size++;
        return true;
      }
      if (this.#low[slot] !== low) continue;
      if (this.#tags[slot] === tag) return false;
      if (this.#tags[slot]! >>> 16 === middle) this.suspects.add(key);
    }
  }

  #grow(): void {
    const [low, tags] = [this.#low, this.#tags];
    this.#low = new Uint32Array(low.length * 2);
    this.#tags = new Uint32Array(low.length * 2);
    const mask = this.#low.length - 1;
    for (let from = 0; from < low.length; from++) {
      if (tags[from] === 0) continue;
      let slot = low[from]! & mask;
      while (this.#tags[slot] !== 0) slot = (slot + 1) & mask;
      this.#low[slot] = low[from]!;
      this.#tags[slot] = tags[from]!;
    }
  }
}
