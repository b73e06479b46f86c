/** Remembers which surrogate keys have been met, in 8 bytes a slot, and notices texts that may share one. No I/O. */

const INITIAL_SLOTS = 1 << 12;
const MAX_LOAD = 0.7;

/** Open-addressing hash table of keys with 16 bits of another hash of their texts. */
export class SurrogateIndex {
  /** Lower 32 bits of the keys. */
  #low = new Uint32Array(INITIAL_SLOTS);
  /** The next 16 bits of the key, then 16 bits of the other hash; 0 is an empty slot. */
  #tags = new Uint32Array(INITIAL_SLOTS);
  #size = 0;
  /** Keys whose texts must be compared: two of them may share the key. */
  readonly suspects: Set<bigint> = new Set();

  /** Number of keys. */
  get size(): number {
    return this.#size;
  }

  /**
   * Adds a text; returns whether it is new.
   *
   * @param high upper 32 bits of its key
   * @param low lower 32 bits of its key
   * @param check another hash of the text, of 32 bits
   */
  add(high: number, low: number, check: number): boolean {
    if (this.#size >= this.#low.length * MAX_LOAD) this.#grow();
    const middle = high & 0xffff;
    const tag = ((middle << 16 | check >>> 16) >>> 0) || 1;
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
      if (this.#tags[slot]! >>> 16 === middle) this.suspects.add(toKey(high, low));
    }
  }

  /** Reports whether the text of a key must be compared with another one. */
  isSuspect(high: number, low: number): boolean {
    return this.suspects.size > 0 && this.suspects.has(toKey(high, low));
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

function toKey(high: number, low: number): bigint {
  return BigInt(high) << 32n | BigInt(low);
}
