/**
 * Sums clean rows from their bytes: rows, quantity, money in whole kopecks, and a checksum that ties the values of each
 * row together. sales_sum.sql computes the same from shop.sales; no order of rows matters.
 *
 * Checksum of a row: (sale_id mod P + 1) · (c₁·customer + c₂·product + c₃·quantity + c₄·day + c₅·kopecks + c₆·region mod P),
 * each value mod P first; P is the largest prime below 2²⁶, so that every product stays below 2⁵³.
 */
import { SalesflowError } from "../console/errors.ts";
import { REGIONS, SALE_HEADER } from "../domain/sale.ts";

/** Largest prime below 2²⁶; also in sales_sum.sql, as are the six factors. */
const P = 67_108_859;
const [C1, C2, C3, C4, C5, C6] = [
  11_400_713,
  9_576_893,
  13_466_917,
  8_191_207,
  12_582_917,
  6_700_417,
] as const;
const HALF = 2 ** 26;
/** Whole roubles of so many rows, 10¹² each at most, add up to less than 2⁵³. */
const ROWS_PER_FLUSH = 4096;
/** More digits than this are taken mod P one by one. */
const SAFE_DIGITS = 15;
const COMMA = 44;
const LINE_FEED = 10;
const DASH = 45;
const POINT = 46;
const ZERO = 48;
/** Each region with its line end, by its first byte. */
const REGION_NAMES = new Map(REGIONS.map((region) => {
  const bytes = new TextEncoder().encode(`${region}\n`);
  return [bytes[0]!, bytes];
}));

/** What a set of sales adds up to. */
export interface SalesSum {
  rows: number;
  quantity: bigint;
  /** Kopecks. */
  cents: bigint;
  checksum: bigint;
}

/** Days since 1970-01-01, by Howard Hinnant's days_from_civil (https://howardhinnant.github.io/date_algorithms.html). */
function dayOf(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** Takes the bytes of one clean part in pieces of any size. */
export class SalesSummer {
  readonly #what: string;
  #rest: Uint8Array = new Uint8Array();
  #header = true;
  #rows = 0;
  #pending = 0;
  #quantity = 0;
  #roubles = 0;
  #kopecks = 0;
  #low = 0;
  #high = 0;
  readonly #sum: SalesSum = { rows: 0, quantity: 0n, cents: 0n, checksum: 0n };
  #bytes: Uint8Array = new Uint8Array();
  #at = 0;

  /** @param what names the part in errors */
  constructor(what: string) {
    this.#what = what;
  }

  /** Takes the next bytes. @throws {SalesflowError} when a row is not canonical */
  write(chunk: Uint8Array): void {
    const end = chunk.lastIndexOf(LINE_FEED) + 1;
    if (end === 0) {
      this.#rest = joined(this.#rest, chunk);
      return;
    }
    let start = 0;
    if (this.#rest.length > 0) {
      start = chunk.indexOf(LINE_FEED) + 1;
      this.#lines(joined(this.#rest, chunk.subarray(0, start)));
    }
    this.#lines(chunk.subarray(start, end));
    this.#rest = chunk.slice(end);
  }

  /** The sums of the whole part. Call once, at the end. */
  finish(): SalesSum {
    if (this.#rest.length > 0 || this.#header) this.#refuse();
    this.#flush();
    this.#sum.rows = this.#rows;
    return this.#sum;
  }

  #refuse(): never {
    throw new SalesflowError(
      `${this.#what} is not canonical at line ${this.#rows + (this.#header ? 1 : 2)}`,
      {
        remedy: "Run clean again.",
      },
    );
  }

  /** Whole lines only. */
  #lines(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#at = 0;
    if (this.#header && bytes.length > 0) {
      const end = bytes.indexOf(LINE_FEED);
      if (new TextDecoder().decode(bytes.subarray(0, end)) !== SALE_HEADER) this.#refuse();
      this.#header = false;
      this.#at = end + 1;
    }
    while (this.#at < bytes.length) this.#row();
  }

  /** A whole number up to `stop`, without leading zeros; at most fifteen digits. */
  #number(stop: number): number {
    let value = 0;
    const from = this.#at;
    for (let at = from;; at++) {
      const byte = this.#bytes[at];
      if (byte === stop) {
        const digits = at - from;
        if (digits === 0 || digits > SAFE_DIGITS || (digits > 1 && this.#bytes[from] === ZERO)) {
          this.#refuse();
        }
        this.#at = at + 1;
        return value;
      }
      const digit = byte! - ZERO;
      if (!(digit >= 0 && digit <= 9)) this.#refuse();
      value = value * 10 + digit;
    }
  }

  /** Exactly so many digits, then `stop`. */
  #fixed(digits: number, stop: number): number {
    let value = 0;
    const end = this.#at + digits;
    for (let at = this.#at; at < end; at++) {
      const digit = this.#bytes[at]! - ZERO;
      if (!(digit >= 0 && digit <= 9)) this.#refuse();
      value = value * 10 + digit;
    }
    if (this.#bytes[end] !== stop) this.#refuse();
    this.#at = end + 1;
    return value;
  }

  /** A positive whole number of any length up to a comma, without leading zeros, mod P. */
  #modulo(): number {
    let value = 0;
    const from = this.#at;
    if (this.#bytes[from] === ZERO) this.#refuse();
    for (let at = from;; at++) {
      const byte = this.#bytes[at];
      if (byte === COMMA) {
        if (at === from) this.#refuse();
        this.#at = at + 1;
        return value % P;
      }
      const digit = byte! - ZERO;
      if (!(digit >= 0 && digit <= 9)) this.#refuse();
      if (at - from >= SAFE_DIGITS) value %= P;
      value = value * 10 + digit;
    }
  }

  /** The first letter of a region, which tells it; the others must follow. */
  #region(): number {
    const first = this.#bytes[this.#at]!;
    const name = REGION_NAMES.get(first) ?? this.#refuse();
    for (let i = 1; i < name.length; i++) if (this.#bytes[this.#at + i] !== name[i]) this.#refuse();
    this.#at += name.length;
    return first;
  }

  #row(): void {
    const saleId = this.#modulo();
    const customer = this.#modulo();
    const product = this.#number(COMMA) % P;
    const quantity = this.#number(COMMA);
    const day = dayOf(this.#fixed(4, DASH), this.#fixed(2, DASH), this.#fixed(2, COMMA));
    const roubles = this.#number(POINT);
    const kopecks = this.#fixed(2, COMMA);
    const region = this.#region();
    const mixed = C1 * customer + C2 * product + C3 * (quantity % P) + C4 * day +
      C5 * ((roubles * 100 + kopecks) % P) + C6 * region;
    const checksum = (saleId + 1) * (mixed % P);
    const low = checksum % HALF;
    this.#low += low;
    this.#high += (checksum - low) / HALF;
    this.#quantity += quantity;
    this.#roubles += roubles;
    this.#kopecks += kopecks;
    this.#rows++;
    if (++this.#pending === ROWS_PER_FLUSH) this.#flush();
  }

  /** Numbers are small between two flushes; the sums have no bound. */
  #flush(): void {
    this.#sum.quantity += BigInt(this.#quantity);
    this.#sum.cents += BigInt(this.#roubles) * 100n + BigInt(this.#kopecks);
    this.#sum.checksum += BigInt(this.#high) * BigInt(HALF) + BigInt(this.#low);
    this.#quantity =
      this.#roubles =
      this.#kopecks =
      this.#low =
      this.#high =
      this.#pending =
        0;
  }
}

function joined(left: Uint8Array, right: Uint8Array): Uint8Array {
  const both = new Uint8Array(left.length + right.length);
  both.set(left);
  both.set(right, left.length);
  return both;
}

/** Adds the sums of another part. */
export function addSales(left: SalesSum, right: SalesSum): SalesSum {
  return {
    rows: left.rows + right.rows,
    quantity: left.quantity + right.quantity,
    cents: left.cents + right.cents,
    checksum: left.checksum + right.checksum,
  };
}
