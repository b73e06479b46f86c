/**
 * Sums clean rows from their bytes: rows, quantity, money in whole kopecks, and a checksum over the values of each row.
 * sales_sum.sql computes the same from shop.sales. The order of rows does not matter.
 *
 * Checksum of a row: (sale_id mod P + 1) · (c₁·customer + c₂·product + c₃·quantity + c₄·day + c₅·kopecks + c₆·region mod P),
 * with each value reduced mod P first. P is the largest prime below 2²⁶, so that every product stays below 2⁵³.
 */
import { SalesflowError } from "../console/errors.ts";
import { REGIONS, SALE_HEADER } from "../domain/sale.ts";

/** The largest prime below 2²⁶. It and the six factors are also in sales_sum.sql. */
const P = 67_108_859;
const [C1, C2, C3, C4, C5, C6] = [
  11_400_713,
  9_576_893,
  13_466_917,
  8_191_207,
  12_582_917,
  6_700_417,
] as const;
/** Checksums are summed in two halves, below and above 2²⁶, to stay exact in doubles. */
const HALF_BASE = 2 ** 26;
/** The whole roubles of this many rows, at most 10¹² each, add up to less than 2⁵³. */
const ROWS_PER_FLUSH = 4096;
/** Up to this many digits fit into a double; further digits are reduced mod P one by one. */
const SAFE_DIGITS = 15;
const COMMA = 44;
const LINE_FEED = 10;
const DASH = 45;
const POINT = 46;
const ZERO = 48;
/** The bytes of each region with its line feed, by first byte. */
const REGION_BYTES = new Map(REGIONS.map((region) => {
  const bytes = new TextEncoder().encode(`${region}\n`);
  return [bytes[0]!, bytes];
}));

/** Sums over a set of sales. */
export interface SalesSum {
  /** Number of sales. */
  rows: number;
  /** Sum of quantity. */
  quantity: bigint;
  /** Sum of sale_amount, in kopecks. */
  cents: bigint;
  /** Sum of the rows' checksums. */
  checksum: bigint;
}

/** Returns the days since 1970-01-01, by Howard Hinnant's days_from_civil (https://howardhinnant.github.io/date_algorithms.html). */
function dayOf(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** Sums the rows of one clean part. Accepts chunks of any size. */
export class SalesAccumulator {
  readonly #name: string;
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

  /** Starts with no sales. @param name the part's name in error messages */
  constructor(name: string) {
    this.#name = name;
  }

  /** Adds the next chunk. @throws {SalesflowError} when a row is not canonical */
  write(chunk: Uint8Array): void {
    const end = chunk.lastIndexOf(LINE_FEED) + 1;
    if (end === 0) {
      this.#rest = concat(this.#rest, chunk);
      return;
    }
    let start = 0;
    if (this.#rest.length > 0) {
      start = chunk.indexOf(LINE_FEED) + 1;
      this.#parseLines(concat(this.#rest, chunk.subarray(0, start)));
    }
    this.#parseLines(chunk.subarray(start, end));
    this.#rest = chunk.slice(end);
  }

  /** Returns the sums of the part. Call once, after the last chunk. @throws {SalesflowError} when the part is incomplete */
  finish(): SalesSum {
    if (this.#rest.length > 0 || this.#header) this.#fail();
    this.#flush();
    this.#sum.rows = this.#rows;
    return this.#sum;
  }

  #fail(): never {
    throw new SalesflowError(
      `${this.#name} is not canonical at line ${this.#rows + (this.#header ? 1 : 2)}`,
      {
        remedy: "Run clean again.",
      },
    );
  }

  /** Parses whole lines. */
  #parseLines(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#at = 0;
    if (this.#header && bytes.length > 0) {
      const end = bytes.indexOf(LINE_FEED);
      if (new TextDecoder().decode(bytes.subarray(0, end)) !== SALE_HEADER) this.#fail();
      this.#header = false;
      this.#at = end + 1;
    }
    while (this.#at < bytes.length) this.#parseRow();
  }

  /** Parses an integer of at most fifteen digits up to `stop`, without leading zeros. */
  #parseInteger(stop: number): number {
    let value = 0;
    const from = this.#at;
    for (let at = from;; at++) {
      const byte = this.#bytes[at];
      if (byte === stop) {
        const digits = at - from;
        if (digits === 0 || digits > SAFE_DIGITS || (digits > 1 && this.#bytes[from] === ZERO)) {
          this.#fail();
        }
        this.#at = at + 1;
        return value;
      }
      const digit = byte! - ZERO;
      if (!(digit >= 0 && digit <= 9)) this.#fail();
      value = value * 10 + digit;
    }
  }

  /** Parses exactly `digits` digits, then `stop`. */
  #parseDigits(digits: number, stop: number): number {
    let value = 0;
    const end = this.#at + digits;
    for (let at = this.#at; at < end; at++) {
      const digit = this.#bytes[at]! - ZERO;
      if (!(digit >= 0 && digit <= 9)) this.#fail();
      value = value * 10 + digit;
    }
    if (this.#bytes[end] !== stop) this.#fail();
    this.#at = end + 1;
    return value;
  }

  /** Parses a positive integer of any length up to a comma, without leading zeros; returns it mod P. */
  #parseModulo(): number {
    let value = 0;
    const from = this.#at;
    if (this.#bytes[from] === ZERO) this.#fail();
    for (let at = from;; at++) {
      const byte = this.#bytes[at];
      if (byte === COMMA) {
        if (at === from) this.#fail();
        this.#at = at + 1;
        return value % P;
      }
      const digit = byte! - ZERO;
      if (!(digit >= 0 && digit <= 9)) this.#fail();
      if (at - from >= SAFE_DIGITS) value %= P;
      value = value * 10 + digit;
    }
  }

  /** Parses a region; returns its first byte, which identifies it. */
  #parseRegion(): number {
    const first = this.#bytes[this.#at]!;
    const name = REGION_BYTES.get(first) ?? this.#fail();
    for (let i = 1; i < name.length; i++) if (this.#bytes[this.#at + i] !== name[i]) this.#fail();
    this.#at += name.length;
    return first;
  }

  #parseRow(): void {
    const saleId = this.#parseModulo();
    const customer = this.#parseModulo();
    const product = this.#parseModulo();
    const quantity = this.#parseInteger(COMMA);
    const day = dayOf(this.#parseDigits(4, DASH), this.#parseDigits(2, DASH), this.#parseDigits(2, COMMA));
    const roubles = this.#parseInteger(POINT);
    const kopecks = this.#parseDigits(2, COMMA);
    const region = this.#parseRegion();
    const mixed = C1 * customer + C2 * product + C3 * (quantity % P) + C4 * day +
      C5 * ((roubles * 100 + kopecks) % P) + C6 * region;
    const checksum = (saleId + 1) * (mixed % P);
    const low = checksum % HALF_BASE;
    this.#low += low;
    this.#high += (checksum - low) / HALF_BASE;
    this.#quantity += quantity;
    this.#roubles += roubles;
    this.#kopecks += kopecks;
    this.#rows++;
    if (++this.#pending === ROWS_PER_FLUSH) this.#flush();
  }

  /** Adds the doubles to the BigInt sums. Between two flushes they stay exact; the sums are unbounded. */
  #flush(): void {
    this.#sum.quantity += BigInt(this.#quantity);
    this.#sum.cents += BigInt(this.#roubles) * 100n + BigInt(this.#kopecks);
    this.#sum.checksum += BigInt(this.#high) * BigInt(HALF_BASE) + BigInt(this.#low);
    this.#quantity =
      this.#roubles =
      this.#kopecks =
      this.#low =
      this.#high =
      this.#pending =
        0;
  }
}

function concat(left: Uint8Array, right: Uint8Array): Uint8Array {
  const both = new Uint8Array(left.length + right.length);
  both.set(left);
  both.set(right, left.length);
  return both;
}

/** Returns the sums of two parts together. */
export function addSums(left: SalesSum, right: SalesSum): SalesSum {
  return {
    rows: left.rows + right.rows,
    quantity: left.quantity + right.quantity,
    cents: left.cents + right.cents,
    checksum: left.checksum + right.checksum,
  };
}
