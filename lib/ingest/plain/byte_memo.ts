/** A hash table from byte strings to byte strings, in two typed arrays: objects would cost more than the work that they save. No I/O. */
import { copyBytes, hasBytes, viewOf } from "./bytes.ts";

const INITIAL_SLOTS = 1 << 10;
const INITIAL_BYTES = 1 << 14;
const MAX_LOAD = 0.5;
/** Bytes of the two lengths before each key. */
const HEAD_BYTES = 4;

/** Length in bytes that neither a key nor a value may exceed. */
export const MAX_MEMO_BYTES = 0xffff;

/** Remembers values by their keys. */
export class ByteMemo {
  /** Pairs: the hash of a key, and 1 + the offset of its entry; 0 there is a free slot. */
  #slots = new Int32Array(2 * INITIAL_SLOTS);
  /** Entries: length of the key, length of the value, key, value; together, because memory that is not near costs most. */
  #entries = viewOf(new Uint8Array(INITIAL_BYTES));
  #end = 0;
  #size = 0;
  /** Hash of the key that was looked for last. */
  #hash = 0;
  /** Offset of the value that was found or added last, in {@linkcode values}. */
  begin = 0;
  /** Offset behind it. */
  end = 0;

  /** Number of keys. */
  get size(): number {
    return this.#size;
  }

  /** Bytes of all keys and values. */
  get bytes(): number {
    return this.#end;
  }

  /** The bytes in which values are, until the next key is added. */
  get values(): DataView {
    return this.#entries;
  }

  /** Looks for a key; returns whether it was added. */
  find(bytes: DataView, begin: number, end: number): boolean {
    const length = end - begin;
    let hash = length;
    let next = begin;
    // Four bytes at a time, because each multiplication waits for the one before it; the constants are those of MurmurHash3.
    for (const last = end - 3; next < last; next += 4) {
      hash = Math.imul(hash ^ bytes.getInt32(next, true), 0xcc9e2d51);
      hash ^= hash >>> 15;
    }
    for (; next < end; next++) hash = Math.imul(hash ^ bytes.getUint8(next), 0x1b873593);
    hash ^= hash >>> 16;
    this.#hash = hash;
    const slots = this.#slots;
    const entries = this.#entries;
    const mask = slots.length - 2;
    for (let slot = (hash << 1) & mask;; slot = (slot + 2) & mask) {
      const entry = slots[slot + 1]! - 1;
      if (entry < 0) return false;
      if (slots[slot] !== hash || entries.getUint16(entry) !== length) continue;
      const key = entry + HEAD_BYTES;
      if (!hasBytes(entries, key, bytes, begin, length)) continue;
      this.begin = key + length;
      this.end = this.begin + entries.getUint16(entry + 2);
      return true;
    }
  }

  /**
   * Adds the key that {@linkcode find} has just not found.
   *
   * @param value both it and the key have at most {@linkcode MAX_MEMO_BYTES}
   */
  add(bytes: DataView, begin: number, end: number, value: DataView): void {
    if (this.#size >= (this.#slots.length / 2) * MAX_LOAD) this.#grow();
    const entry = this.#end;
    this.begin = entry + HEAD_BYTES + end - begin;
    this.end = this.begin + value.byteLength;
    if (this.end > this.#entries.byteLength) {
      const entries = new Uint8Array(Math.max(this.end, this.#entries.byteLength * 2));
      entries.set(new Uint8Array(this.#entries.buffer));
      this.#entries = viewOf(entries);
    }
    const entries = this.#entries;
    entries.setUint16(entry, end - begin);
    entries.setUint16(entry + 2, value.byteLength);
    copyBytes(bytes, begin, end, entries, entry + HEAD_BYTES);
    copyBytes(value, 0, value.byteLength, entries, this.begin);
    this.#end = this.end;
    this.#size++;
    this.#place(this.#hash, entry + 1);
  }

  /** Forgets all keys. */
  clear(): void {
    this.#slots.fill(0);
    this.#size = this.#end = 0;
  }

  #place(hash: number, entry: number): void {
    const slots = this.#slots;
    const mask = slots.length - 2;
    let slot = (hash << 1) & mask;
    while (slots[slot + 1] !== 0) slot = (slot + 2) & mask;
    slots[slot] = hash;
    slots[slot + 1] = entry;
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Int32Array(old.length * 2);
    for (let slot = 0; slot < old.length; slot += 2) {
      if (old[slot + 1] !== 0) this.#place(old[slot]!, old[slot + 1]!);
    }
  }
}
