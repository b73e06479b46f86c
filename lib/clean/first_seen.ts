/** Which row came first for each sale_id: an open-addressing table in typed arrays, 16 bytes a slot. */
import { SalesflowError } from "../errors.ts";
import type { Judged } from "./judge.ts";
import { AS_IS, CONFLICT, CONVERTED, DUPLICATE } from "./verdict.ts";

const MIN_SLOTS = 1 << 10;
/** Slots are numbered by bitwise operations, which know positive numbers below 2^31 only. */
const MAX_SLOTS = 2 ** 31;
/** The table is rebuilt at this load. */
const MAX_LOAD = 0.6;

/** Rows in file order go in; duplicates and conflicts come out. */
export class FirstSeen {
  #mask = 0;
  #idLow = new Uint32Array();
  #idHigh = new Uint32Array();
  #hashLow = new Uint32Array();
  #hashHigh = new Uint32Array();
  #count = 0;

  /** @param expectedRows a guess; the table grows when it is exceeded */
  constructor(expectedRows: number) {
    this.#allocate(Math.max(MIN_SLOTS, 2 ** Math.ceil(Math.log2(expectedRows / MAX_LOAD + 1))));
  }

  #allocate(slots: number): void {
    try {
      if (slots > MAX_SLOTS) throw new RangeError(`${slots} slots are more than ${MAX_SLOTS}`);
      this.#idLow = new Uint32Array(slots);
      this.#idHigh = new Uint32Array(slots);
      this.#hashLow = new Uint32Array(slots);
      this.#hashHigh = new Uint32Array(slots);
    } catch (cause) {
      throw new SalesflowError("There are more sales than this machine's memory can tell apart", {
        stage: "clean",
        remedy: "Clean so many sales with the Spark engine, or on a machine with more memory.",
        cause,
      });
    }
    this.#mask = slots - 1;
  }

  /** The slot of a sale_id: its own or the empty one where it belongs. No sale_id is 0, so an id of 0 is an empty slot. */
  #slot(low: number, high: number): number {
    let slot = (Math.imul(low, 0x9e3779b1) ^ Math.imul(high, 0x85ebca77)) >>> 0;
    slot = (slot ^ (slot >>> 15)) & this.#mask;
    while (
      (this.#idLow[slot] !== low || this.#idHigh[slot] !== high) &&
      (this.#idLow[slot] !== 0 || this.#idHigh[slot] !== 0)
    ) {
      slot = (slot + 1) & this.#mask;
    }
    return slot;
  }

  #grow(): void {
    const [low, high, hashLow, hashHigh] = [this.#idLow, this.#idHigh, this.#hashLow, this.#hashHigh];
    this.#allocate(low.length * 2);
    for (let old = 0; old < low.length; old++) {
      if (low[old] === 0 && high[old] === 0) continue;
      const slot = this.#slot(low[old]!, high[old]!);
      this.#idLow[slot] = low[old]!;
      this.#idHigh[slot] = high[old]!;
      this.#hashLow[slot] = hashLow[old]!;
      this.#hashHigh[slot] = hashHigh[old]!;
    }
  }

  /** Takes in the next range; accepted lines that repeat an earlier sale_id become DUPLICATE or CONFLICT in `verdicts`. */
  take({ verdicts, idLow, idHigh, hashLow, hashHigh }: Judged): void {
    let row = 0;
    for (let line = 0; line < verdicts.length; line++) {
      const verdict = verdicts[line]!;
      if (verdict !== AS_IS && verdict !== CONVERTED) continue;
      const slot = this.#slot(idLow[row]!, idHigh[row]!);
      if (this.#idLow[slot] === 0 && this.#idHigh[slot] === 0) {
        this.#idLow[slot] = idLow[row]!;
        this.#idHigh[slot] = idHigh[row]!;
        this.#hashLow[slot] = hashLow[row]!;
        this.#hashHigh[slot] = hashHigh[row]!;
        if (++this.#count > MAX_LOAD * (this.#mask + 1)) this.#grow();
      } else {
        const same = this.#hashLow[slot] === hashLow[row] && this.#hashHigh[slot] === hashHigh[row];
        verdicts[line] = same ? DUPLICATE : CONFLICT;
      }
      row++;
    }
  }
}
