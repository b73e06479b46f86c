/** Remembers which surrogate keys have been met, in 8 bytes a slot, and notices texts that may share one. No I/O. */

const INITIAL_SLOTS = 1 << 12;
const MAX_LOAD = 0.7;
/** Size from which it grows twofold, not eightfold. */
const SLOWLY_GROWING_SLOTS = 1 << 20;

/** Open-addressing hash table of keys with 16 bits of another hash of their texts. */
export class SurrogateIndex {
  /**
   * Pairs, side by side in memory because each look-up misses the processor's caches: the lower 32 bits of a key; then its next 16
   * bits and 16 bits of the other hash, where 0 is an empty slot.
   */
  #slots = new Uint32Array(2 * INITIAL_SLOTS);
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
    if (this.#size >= (this.#slots.length / 2) * MAX_LOAD) this.#grow();
    const slots = this.#slots;
    const middle = high & 0xffff;
    const tag = ((middle << 16 | check >>> 16) >>> 0) || 1;
    const mask = slots.length - 2;
    for (let slot = (low << 1) & mask;; slot = (slot + 2) & mask) {
      const known = slots[slot + 1]!;
      if (known === 0) {
        slots[slot] = low;
        slots[slot + 1] = tag;
        this.#size++;
        return true;
      }
      if (slots[slot] !== low) continue;
      if (known === tag) return false;
      if (known >>> 16 === middle) this.suspects.add(toKey(high, low));
    }
  }

  /** Reports whether the text of a key must be compared with another one. */
  isSuspect(high: number, low: number): boolean {
    return this.suspects.size > 0 && this.suspects.has(toKey(high, low));
  }

  #grow(): void {
    const old = this.#slots;
    const slots = new Uint32Array(old.length * (old.length < SLOWLY_GROWING_SLOTS ? 8 : 2));
    const mask = slots.length - 2;
    for (let from = 0; from < old.length; from += 2) {
      if (old[from + 1] === 0) continue;
      let slot = (old[from]! << 1) & mask;
      while (slots[slot + 1] !== 0) slot = (slot + 2) & mask;
      slots[slot] = old[from]!;
      slots[slot + 1] = old[from + 1]!;
    }
    this.#slots = slots;
  }
}

function toKey(high: number, low: number): bigint {
  return BigInt(high) << 32n | BigInt(low);
}
