/** Which row came first for each sale_id: an open-addressing table in a typed array, 16 bytes a slot. */
import { SalesflowError } from "../console/errors.ts";
import type { ValidatedRows } from "./validate.ts";
import { CANONICAL, CONFLICT, CONVERTED, DUPLICATE } from "./row_status.ts";

const MIN_SLOTS = 1 << 10;
/** Four numbers each; an array holds less than 2^33. */
const MAX_SLOTS = 2 ** 30;
const SLOT_LENGTH = 4;
/** The table is rebuilt at this load. */
const MAX_LOAD = 0.6;

/** The finish of MurmurHash3 (https://github.com/aappleby/smhasher), in which every bit decides about every other. */
function finish(bits: number): number {
  let mixed = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

/** Bits of a sale_id that decide about its slot. Nobody who does not know the seed can write ids that meet in one. */
export function slotBits(low: number, high: number, seed: number): number {
  return finish(finish(low ^ seed) ^ high);
}

/** Rows in file order go in; duplicates and conflicts come out. */
export class DuplicateIndex {
  readonly #seed: number;
  #mask = 0;
  /** Of each slot both halves of its id, then of its content's hash: what is compared lies side by side. */
  #slots = new Uint32Array();
  #count = 0;
  #detours = 0;

  /**
   * @param expectedRows a guess; the table grows when it is exceeded
   * @param seed any 32 bits, such as nobody can foresee
   */
  constructor(expectedRows: number, seed: number) {
    this.#seed = seed;
    this.#allocate(Math.max(MIN_SLOTS, 2 ** Math.ceil(Math.log2(expectedRows / MAX_LOAD + 1))));
  }

  /** Slots that were looked at in vain so far: few, unless ids crowd. */
  get detours(): number {
    return this.#detours;
  }

  #allocate(slots: number): void {
    try {
      if (slots > MAX_SLOTS) throw new RangeError(`${slots} slots are more than ${MAX_SLOTS}`);
      this.#slots = new Uint32Array(slots * SLOT_LENGTH);
    } catch (cause) {
      throw new SalesflowError("There are more sales than this machine's memory can tell apart", {
        stage: "clean",
        remedy: "Clean so many sales with the Spark engine, or on a machine with more memory.",
        cause,
      });
    }
    this.#mask = slots - 1;
  }

  /** Where a sale_id has its slot: its own or the empty one where it belongs. No sale_id is 0, so an id of 0 is an empty slot. */
  #find(low: number, high: number): number {
    const slots = this.#slots;
    for (let slot = slotBits(low, high, this.#seed) & this.#mask;; slot = (slot + 1) & this.#mask) {
      const at = slot * SLOT_LENGTH;
      const foundLow = slots[at]!;
      const foundHigh = slots[at + 1]!;
      if ((foundLow === low && foundHigh === high) || (foundLow === 0 && foundHigh === 0)) return at;
      this.#detours++;
    }
  }

  #grow(): void {
    const old = this.#slots;
    this.#allocate(old.length / SLOT_LENGTH * 2);
    for (let at = 0; at < old.length; at += SLOT_LENGTH) {
      const [low, high] = [old[at]!, old[at + 1]!];
      if (low === 0 && high === 0) continue;
      this.#put(this.#find(low, high), low, high, old[at + 2]!, old[at + 3]!);
    }
  }

  #put(at: number, low: number, high: number, hashLow: number, hashHigh: number): void {
    const slots = this.#slots;
    slots[at] = low;
    slots[at + 1] = high;
    slots[at + 2] = hashLow;
    slots[at + 3] = hashHigh;
  }

  /** Takes in the next range; accepted lines that repeat an earlier sale_id become DUPLICATE or CONFLICT in `statuses`. */
  markDuplicates({ statuses, idLow, idHigh, hashLow, hashHigh }: ValidatedRows): void {
    let row = 0;
    for (let line = 0; line < statuses.length; line++) {
      const status = statuses[line]!;
      if (status !== CANONICAL && status !== CONVERTED) continue;
      const at = this.#find(idLow[row]!, idHigh[row]!);
      const slots = this.#slots;
      if (slots[at] === 0 && slots[at + 1] === 0) {
        this.#put(at, idLow[row]!, idHigh[row]!, hashLow[row]!, hashHigh[row]!);
        if (++this.#count > MAX_LOAD * (this.#mask + 1)) this.#grow();
      } else {
        const same = slots[at + 2] === hashLow[row] && slots[at + 3] === hashHigh[row];
        statuses[line] = same ? DUPLICATE : CONFLICT;
      }
      row++;
    }
  }
}
