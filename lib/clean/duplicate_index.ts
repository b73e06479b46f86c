/** Index of the row that stays of each sale_id: an open-addressing hash table in a typed array, 16 bytes per slot. */
import { SalesflowError } from "../console/errors.ts";
import type { OnConflict } from "../dataset/facts.ts";
import type { ValidatedRows } from "./validate.ts";
import { CANONICAL, CONFLICT, CONVERTED, DUPLICATE } from "./row_status.ts";

const MIN_SLOTS = 1 << 10;
/** A slot takes four array elements, and an array holds fewer than 2^33. */
const MAX_SLOTS = 2 ** 30;
const SLOT_LENGTH = 4;
/** Load factor above which the table doubles. */
const MAX_LOAD_FACTOR = 0.6;

/** The finalizer of MurmurHash3 (https://github.com/aappleby/smhasher): every input bit affects every output bit. */
function fmix32(bits: number): number {
  let mixed = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

/** Hashes a sale_id to its slot bits. The seed is random per run, so crafted ids cannot be made to collide. */
export function hashSaleId(low: number, high: number, seed: number): number {
  return fmix32(fmix32(low ^ seed) ^ high);
}

/**
 * Finds duplicates and conflicts: the row of a sale_id that it meets first stays. To keep the last one in file order, it
 * goes through the lines backwards, from the last range to the first.
 */
export class DuplicateIndex {
  readonly #seed: number;
  readonly #keep: OnConflict;
  #mask = 0;
  /** Per slot: low and high half of the sale_id, then of the content hash. Adjacent, because they are compared together. */
  #slots = new Uint32Array();
  #count = 0;
  #collisions = 0;

  /**
   * Allocates the table.
   *
   * @param expectedRows estimate; the table grows beyond it
   * @param seed 32 unpredictable bits
   * @param keep which row of a sale_id stays
   * @throws {SalesflowError} when the table does not fit into memory
   */
  constructor(expectedRows: number, seed: number, keep: OnConflict = "first") {
    this.#seed = seed;
    this.#keep = keep;
    this.#allocate(Math.max(MIN_SLOTS, 2 ** Math.ceil(Math.log2(expectedRows / MAX_LOAD_FACTOR + 1))));
  }

  /** Number of occupied slots probed past so far; stays low while the hash spreads ids evenly. */
  get collisions(): number {
    return this.#collisions;
  }

  #allocate(slots: number): void {
    try {
      if (slots > MAX_SLOTS) throw new RangeError(`${slots} slots are more than ${MAX_SLOTS}`);
      this.#slots = new Uint32Array(slots * SLOT_LENGTH);
    } catch (cause) {
      throw new SalesflowError("There are more sales than can be deduplicated in this machine's memory", {
        stage: "clean",
        remedy: "Clean this many sales with the Spark engine, or on a machine with more memory.",
        cause,
      });
    }
    this.#mask = slots - 1;
  }

  /**
   * Returns the offset of the slot that holds the sale_id, or of the empty slot where it belongs. An id of 0 marks an empty
   * slot, because no sale_id is 0.
   */
  #findSlot(low: number, high: number): number {
    const slots = this.#slots;
    for (let slot = hashSaleId(low, high, this.#seed) & this.#mask;; slot = (slot + 1) & this.#mask) {
      const at = slot * SLOT_LENGTH;
      const foundLow = slots[at]!;
      const foundHigh = slots[at + 1]!;
      if ((foundLow === low && foundHigh === high) || (foundLow === 0 && foundHigh === 0)) return at;
      this.#collisions++;
    }
  }

  #grow(): void {
    const old = this.#slots;
    this.#allocate(old.length / SLOT_LENGTH * 2);
    for (let at = 0; at < old.length; at += SLOT_LENGTH) {
      const [low, high] = [old[at]!, old[at + 1]!];
      if (low === 0 && high === 0) continue;
      this.#writeSlot(this.#findSlot(low, high), low, high, old[at + 2]!, old[at + 3]!);
    }
  }

  #writeSlot(at: number, low: number, high: number, hashLow: number, hashHigh: number): void {
    const slots = this.#slots;
    slots[at] = low;
    slots[at + 1] = high;
    slots[at + 2] = hashLow;
    slots[at + 3] = hashHigh;
  }

  /**
   * Adds the rows of the next range, or of the one before when the last row stays. Accepted lines with a sale_id that was
   * added already become DUPLICATE or CONFLICT in `statuses`.
   */
  markDuplicates({ statuses, idLow, idHigh, hashLow, hashHigh }: ValidatedRows): void {
    const step = this.#keep === "first" ? 1 : -1;
    let row = step > 0 ? 0 : idLow.length - 1;
    for (let line = step > 0 ? 0 : statuses.length - 1; line >= 0 && line < statuses.length; line += step) {
      const status = statuses[line]!;
      if (status !== CANONICAL && status !== CONVERTED) continue;
      const at = this.#findSlot(idLow[row]!, idHigh[row]!);
      const slots = this.#slots;
      if (slots[at] === 0 && slots[at + 1] === 0) {
        this.#writeSlot(at, idLow[row]!, idHigh[row]!, hashLow[row]!, hashHigh[row]!);
        if (++this.#count > MAX_LOAD_FACTOR * (this.#mask + 1)) this.#grow();
      } else {
        const same = slots[at + 2] === hashLow[row] && slots[at + 3] === hashHigh[row];
        statuses[line] = same ? DUPLICATE : CONFLICT;
      }
      row += step;
    }
  }
}
