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
const MAX_INTEGER = 2_147_483_647;
/** Of the whole part. */
const MAX_AMOUNT_DIGITS = 12;
const REGION_BYTES = ["North", "South", "East", "West"].map((name) => new TextEncoder().encode(name));

/** Scans one line at a time; its fields hold the values of the last line that {@linkcode CanonicalScanner.scan} accepted. */
export class CanonicalScanner {
  /** Field `sale_id`. */
  saleId = 0;
  /** Field `customer_id`. */
  customerId = 0;
  /** Field `product_id`. */
  productId = 0;
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
    if ((this.saleId = this.#parseInteger(MAX_EXACT_DIGITS)) < 1) return false;
    if ((this.customerId = this.#parseInteger(MAX_EXACT_DIGITS)) < 1) return false;
    if ((this.productId = this.#parseInteger(MAX_EXACT_DIGITS)) < 1) return false;
    this.quantity = this.#parseInteger(10);
    if (this.quantity < 1 || this.quantity > MAX_INTEGER) return false;
    return this.#at + 16 <= end && this.#parseDate() && this.#parseAmount(end) && this.#parseRegion(end);
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
