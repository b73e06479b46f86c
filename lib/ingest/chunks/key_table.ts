/** Numbers by the 64-bit hashes of keys, in 12 bytes a slot: a map of strings would take ten times the memory. No I/O. */

const INITIAL_SLOTS = 1 << 10;
const MAX_LOAD = 0.7;

/** Open-addressing hash table. Two keys with the same hash are the same key, so the hash must be seeded at random. */
export class KeyTable {
  #low = new Uint32Array(INITIAL_SLOTS);
  #high = new Uint32Array(INITIAL_SLOTS);
  /** 0 is an empty slot. */
  #numbers = new Uint32Array(INITIAL_SLOTS);
  #size = 0;

  /** Returns the slot of a key, for {@linkcode KeyTable.get} and {@linkcode KeyTable.set}; valid until the next call of it. */
  slotOf(low: number, high: number): number {
    if (this.#size >= this.#numbers.length * MAX_LOAD) this.#grow();
    return this.#find(low, high);
  }

  /** Returns the number in a slot; 0 when there is none. */
  get(slot: number): number {
    return this.#numbers[slot]!;
  }

  /** Puts a number, at least 1, into the slot of a key. */
  set(slot: number, low: number, high: number, number: number): void {
    if (this.#numbers[slot] === 0) this.#size++;
    this.#low[slot] = low;
    this.#high[slot] = high;
    this.#numbers[slot] = number;
  }

  #find(low: number, high: number): number {
    const mask = this.#numbers.length - 1;
    let slot = low & mask;
    while (this.#numbers[slot] !== 0 && (this.#low[slot] !== low || this.#high[slot] !== high)) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #grow(): void {
    const [low, high, numbers] = [this.#low, this.#high, this.#numbers];
    const slots = numbers.length * 2;
    this.#low = new Uint32Array(slots);
    this.#high = new Uint32Array(slots);
    this.#numbers = new Uint32Array(slots);
    for (let slot = 0; slot < numbers.length; slot++) {
      if (numbers[slot] === 0) continue;
      const target = this.#find(low[slot]!, high[slot]!);
      this.#low[target] = low[slot]!;
      this.#high[target] = high[slot]!;
      this.#numbers[target] = numbers[slot]!;
    }
  }
}
