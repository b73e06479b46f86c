/**
 * Fast path for rows that are canonical already: scans bytes without allocating. Most rows take it. Rows that it does not
 * recognise go to rules.ts, so false negatives are fine, but it must never accept a row that rules.ts would change or reject.
 */
import { isValidDate } from "../domain/dates.ts";
import type { DayRange } from "./rules.ts";

const ZERO = 48;
const COMMA = 44;
const POINT = 46;
const DASH = 45;
/** Any integer of this many digits is exact as a JavaScript number. */
const MAX_EXACT_DIGITS = 15;
/** Of 2^63 − 1, the largest id. */
const MAX_ID_DIGITS = 19;
const TWO_31 = 2_147_483_648;
const TWO_32 = 4_294_967_296;
const MAX_INTEGER = 2_147_483_647;
/** Of the whole part. */
const MAX_AMOUNT_DIGITS = 12;
const REGION_BYTES = ["North", "South", "East", "West"].map((name) => new TextEncoder().encode(name));

/** Scans one line at a time; its fields hold the values of the last line that {@linkcode CanonicalScanner.scan} accepted. */
export class CanonicalScanner {
  /** Low 32 bits of the field `sale_id`. */
  saleLow = 0;
  /** High 32 bits of `sale_id`. */
  saleHigh = 0;
  /** Low 32 bits of the field `customer_id`. */
  customerLow = 0;
  /** High 32 bits of `customer_id`. */
  customerHigh = 0;
  /** Low 32 bits of the field `product_id`. */
  productLow = 0;
  /** High 32 bits of `product_id`. */
  productHigh = 0;
  /** Field `quantity`. */
  quantity = 0;
  /** Field `sale_date`, encoded as in `ConvertedRow`. */
  day = 0;
  /** Field `sale_amount`, in cents. */
  amountCents = 0;
  /** Index in REGIONS of the field `region`. */
  region = 0;
  readonly #from: number;
  readonly #to: number;
  #bytes: Uint8Array = new Uint8Array();
  #at = 0;
  /** High 32 bits of the id that was parsed last. */
  #idHigh = 0;

  /**
   * Creates a scanner.
   *
   * @param range days to accept
   */
  constructor(range: DayRange) {
    this.#from = range?.from ?? 0;
    this.#to = range?.to ?? Number.MAX_SAFE_INTEGER;
  }

  /** Reports whether the line at [start, end), without its line end, is a canonical row dated within the accepted days. */
  scan(bytes: Uint8Array, start: number, end: number): boolean {
    // The shortest canonical row is 1,1,1,1,2026-01-01,0.01,East. With this minimum, no field is read past the end of the
    // line, because each one must end in a comma before the region.
    if (end - start < 28) return false;
    this.#bytes = bytes;
    this.#at = start;
    if ((this.saleLow = this.#parseId()) < 0) return false;
    this.saleHigh = this.#idHigh;
    if ((this.customerLow = this.#parseId()) < 0) return false;
    this.customerHigh = this.#idHigh;
    if ((this.productLow = this.#parseId()) < 0) return false;
    this.productHigh = this.#idHigh;
    this.quantity = this.#parseInteger(10);
    if (this.quantity < 1 || this.quantity > MAX_INTEGER) return false;
    return this.#at + 16 <= end && this.#parseDate() && this.#parseAmount(end) && this.#parseRegion(end);
  }

  /** Parses an id and the comma after it; returns its low 32 bits, or -1 for anything else. */
  #parseId(): number {
    const value = this.#parseInteger(MAX_EXACT_DIGITS);
    if (value < 0) return this.#parseLongId();
    this.#idHigh = value < TWO_32 ? 0 : Math.floor(value / TWO_32);
    return value >>> 0;
  }

  /** Does the same for 16 to 19 digits. The first 15 and the rest are exact as numbers, and so is each half of the id. */
  #parseLongId(): number {
    const bytes = this.#bytes;
    let at = this.#at;
    if (bytes[at] === ZERO) return -1;
    let first = 0;
    let rest = 0;
    let scale = 1;
    for (const start = at;; at++) {
      const digit = bytes[at]! - ZERO;
      if (!(digit >= 0 && digit <= 9)) break;
      if (at - start >= MAX_ID_DIGITS) return -1;
      if (at - start < MAX_EXACT_DIGITS) first = first * 10 + digit;
      else {
        rest = rest * 10 + digit;
        scale *= 10;
      }
    }
    if (scale === 1 || bytes[at] !== COMMA) return -1;
    this.#at = at + 1;
    const low = (first >>> 0) * scale + rest;
    this.#idHigh = Math.floor(first / TWO_32) * scale + Math.floor(low / TWO_32);
    return this.#idHigh < TWO_31 ? low >>> 0 : -1;
  }

  /** Parses digits without a leading zero and the comma after them; returns -1 for anything else. */
  #parseInteger(maxDigits: number): number {
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

  /** Parses two digits; returns a large negative number for anything else, which makes the date or amount invalid. */
  #parseTwoDigits(at: number): number {
    const tens = this.#bytes[at]! - ZERO;
    const ones = this.#bytes[at + 1]! - ZERO;
    return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -10_000;
  }

  #parseDate(): boolean {
    const bytes = this.#bytes;
    const at = this.#at;
    if (bytes[at + 4] !== DASH || bytes[at + 7] !== DASH || bytes[at + 10] !== COMMA) return false;
    const year = this.#parseTwoDigits(at) * 100 + this.#parseTwoDigits(at + 2);
    const month = this.#parseTwoDigits(at + 5);
    const day = this.#parseTwoDigits(at + 8);
    if (!isValidDate(year, month, day)) return false;
    this.day = year * 416 + month * 32 + day;
    this.#at = at + 11;
    return this.day >= this.#from && this.day <= this.#to;
  }

  #parseAmount(end: number): boolean {
    const bytes = this.#bytes;
    let at = this.#at;
    let digit = bytes[at]! - ZERO;
    // A leading zero is allowed only as the whole part "0".
    const zero = digit === 0;
    let whole = 0;
    const start = at;
    while (digit >= 0 && digit <= 9) {
      whole = whole * 10 + digit;
      digit = bytes[++at]! - ZERO;
      if (at - start > MAX_AMOUNT_DIGITS) return false;
    }
    if (at === start || (zero && at - start > 1) || at + 4 > end) return false;
    if (bytes[at] !== POINT || bytes[at + 3] !== COMMA) return false;
    const cents = this.#parseTwoDigits(at + 1);
    if (cents < 0) return false;
    this.amountCents = whole * 100 + cents;
    this.#at = at + 4;
    return this.amountCents > 0;
  }

  #parseRegion(end: number): boolean {
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
