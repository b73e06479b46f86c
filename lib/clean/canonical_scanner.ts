/**
 * Recognises rows that are canonical already, byte by byte, without making a single object. Most rows are; whatever this scanner does not
 * recognise is left to rules.ts, so it may refuse too much but must never accept a row that rules.ts would change or refuse.
 */
import { dayExists, type DayRange } from "./rules.ts";

const ZERO = 48;
const COMMA = 44;
const POINT = 46;
const DASH = 45;
/** Numbers of so many digits are exact as JavaScript numbers. */
const EXACT_DIGITS = 15;
const INTEGER_MAX = 2_147_483_647;
const AMOUNT_DIGITS = 12;
const REGION_BYTES = ["North", "South", "East", "West"].map((name) => new TextEncoder().encode(name));

/** Values of the last recognised row. */
export class CanonicalScanner {
  saleId = 0;
  customerId = 0;
  productId = 0;
  quantity = 0;
  /** As in ConvertedRow. */
  day = 0;
  amountCents = 0;
  region = 0;
  readonly #from: number;
  readonly #to: number;
  #bytes: Uint8Array = new Uint8Array();
  #at = 0;

  constructor(range: DayRange) {
    this.#from = range?.from ?? 0;
    this.#to = range?.to ?? Number.MAX_SAFE_INTEGER;
  }

  /** Whether bytes `start` (included) to `end` (excluded, without line end) are a canonical row inside the accepted days. */
  scan(bytes: Uint8Array, start: number, end: number): boolean {
    // The shortest canonical row is 1,1,1,1,2026-01-01,0.01,East; no field can then be looked for outside the line,
    // because every field ends with a comma that must be found before the region.
    if (end - start < 28) return false;
    this.#bytes = bytes;
    this.#at = start;
    if ((this.saleId = this.#number(EXACT_DIGITS)) < 1) return false;
    if ((this.customerId = this.#number(EXACT_DIGITS)) < 1) return false;
    this.productId = this.#number(10);
    if (this.productId < 1 || this.productId > INTEGER_MAX) return false;
    this.quantity = this.#number(10);
    if (this.quantity < 1 || this.quantity > INTEGER_MAX) return false;
    return this.#at + 16 <= end && this.#date() && this.#amount(end) && this.#region(end);
  }

  /** Digits without a leading zero and the comma after them; -1 for anything else. */
  #number(maxDigits: number): number {
    const bytes = this.#bytes;
    let at = this.#at;
    let digit = bytes[at]! - ZERO;
    if (!(digit >= 1 && digit <= 9)) return -1;
    let value = 0;
    const limit = at + maxDigits;
    do {
      value = value * 10 + digit;
      digit = bytes[++at]! - ZERO;
    } while (digit >= 0 && digit <= 9 && at < limit);
    if (bytes[at] !== COMMA) return -1;
    this.#at = at + 1;
    return value;
  }

  #two(at: number): number {
    const tens = this.#bytes[at]! - ZERO;
    const ones = this.#bytes[at + 1]! - ZERO;
    return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -10_000;
  }

  #date(): boolean {
    const bytes = this.#bytes;
    const at = this.#at;
    if (bytes[at + 4] !== DASH || bytes[at + 7] !== DASH || bytes[at + 10] !== COMMA) return false;
    const year = this.#two(at) * 100 + this.#two(at + 2);
    const month = this.#two(at + 5);
    const day = this.#two(at + 8);
    if (!dayExists(year, month, day)) return false;
    this.day = year * 416 + month * 32 + day;
    this.#at = at + 11;
    return this.day >= this.#from && this.day <= this.#to;
  }

  #amount(end: number): boolean {
    const bytes = this.#bytes;
    let at = this.#at;
    let digit = bytes[at]! - ZERO;
    // One zero may stand before the point, and only there.
    const zero = digit === 0;
    let whole = 0;
    const start = at;
    while (digit >= 0 && digit <= 9) {
      whole = whole * 10 + digit;
      digit = bytes[++at]! - ZERO;
      if (at - start > AMOUNT_DIGITS) return false;
    }
    if (at === start || (zero && at - start > 1) || at + 4 > end) return false;
    if (bytes[at] !== POINT || bytes[at + 3] !== COMMA) return false;
    const cents = this.#two(at + 1);
    if (cents < 0) return false;
    this.amountCents = whole * 100 + cents;
    this.#at = at + 4;
    return this.amountCents > 0;
  }

  #region(end: number): boolean {
    const bytes = this.#bytes;
    const at = this.#at;
    const length = end - at;
    for (let region = 0; region < REGION_BYTES.length; region++) {
      const name = REGION_BYTES[region]!;
      if (name.length !== length || bytes[at] !== name[0]) continue;
      for (let i = 1; i < length; i++) if (bytes[at + i] !== name[i]) return false;
      this.region = region;
      return true;
    }
    return false;
  }
}
