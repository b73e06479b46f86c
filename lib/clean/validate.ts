/** First pass over a range: a status for every line, and identity and content of every accepted row. */
import { REASONS } from "../domain/sale.ts";
import { CanonicalScanner } from "./canonical_scanner.ts";
import { forEachLine, isBlank } from "./lines.ts";
import { convert, type ConvertedRow, type DayRange, LONGEST_LINE_BYTES, splitLine } from "./rules.ts";
import { BLANK, CANONICAL, CONVERTED, REJECTED } from "./row_status.ts";

/** What is known of a range after the first pass. Rows are the accepted lines, in order. */
export interface ValidatedRows {
  /** One of row_status.ts for each line. */
  statuses: Uint8Array<ArrayBuffer>;
  /** sale_id of each row: low and high half. */
  idLow: Uint32Array<ArrayBuffer>;
  idHigh: Uint32Array<ArrayBuffer>;
  /** 64-bit hash of the other values of each row. */
  hashLow: Uint32Array<ArrayBuffer>;
  hashHigh: Uint32Array<ArrayBuffer>;
}

const TWO_32 = 4_294_967_296;
const REJECTIONS = new Map(REASONS.map((reason, index) => [reason, REJECTED + index]));

/** Decodes like every reader of the contract: broken UTF-8 becomes U+FFFD, a byte order mark stays. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The text of a line. */
export function lineText(bytes: Uint8Array, start: number, end: number): string {
  return decoder.decode(bytes.subarray(start, end));
}

/** The row of a line, or why it is refused. */
export function readRow(
  bytes: Uint8Array,
  start: number,
  end: number,
  range: DayRange,
): ConvertedRow | typeof REASONS[number] {
  if (end - start > LONGEST_LINE_BYTES) return "malformed_row";
  const values = splitLine(lineText(bytes, start, end));
  return values ? convert(values, range) : "malformed_row";
}

/** Numbers that grow as rows come; `initialLength` is an estimate. */
class Rows {
  columns: Uint32Array<ArrayBuffer>[];
  count = 0;

  constructor(initialLength: number) {
    this.columns = Array.from({ length: 4 }, () => new Uint32Array(initialLength));
  }

  add(idLow: number, idHigh: number, hashLow: number, hashHigh: number): void {
    if (this.count === this.columns[0]!.length) {
      this.columns = this.columns.map((column) => {
        const longer = new Uint32Array(column.length * 2);
        longer.set(column);
        return longer;
      });
    }
    const [ids, highs, lows, hashes] = this.columns;
    ids![this.count] = idLow;
    highs![this.count] = idHigh;
    lows![this.count] = hashLow;
    hashes![this.count++] = hashHigh;
  }
}

/** Judges all lines of a range. */
export class RangeValidator {
  readonly #range: DayRange;
  readonly #scanner: CanonicalScanner;
  readonly #seed: number;
  #hashLow = 0;
  #hashHigh = 0;

  /** @param seed random for each run of the stage, so that nobody can prepare rows whose hashes meet */
  constructor(range: DayRange, seed: number) {
    this.#range = range;
    this.#scanner = new CanonicalScanner(range);
    this.#seed = seed;
  }

  validate(bytes: Uint8Array): ValidatedRows {
    let statuses = new Uint8Array(Math.max(16, bytes.length >> 4));
    const rows = new Rows(Math.max(16, bytes.length >> 5));
    const scanner = this.#scanner;
    let count = 0;
    forEachLine(bytes, (start, end) => {
      if (count === statuses.length) {
        const longer = new Uint8Array(statuses.length * 2);
        longer.set(statuses);
        statuses = longer;
      }
      if (scanner.scan(bytes, start, end)) {
        statuses[count++] = CANONICAL;
        this.#hash(
          scanner.customerId,
          scanner.productId,
          scanner.quantity,
          scanner.day,
          scanner.amountCents,
          scanner.region,
        );
        rows.add(scanner.saleId >>> 0, Math.floor(scanner.saleId / TWO_32), this.#hashLow, this.#hashHigh);
      } else {
        statuses[count++] = isBlank(bytes, start, end) ? BLANK : this.#slow(bytes, start, end, rows);
      }
    });
    const [idLow, idHigh, hashLow, hashHigh] = rows.columns.map((column) => column.slice(0, rows.count));
    return {
      statuses: statuses.slice(0, count),
      idLow: idLow!,
      idHigh: idHigh!,
      hashLow: hashLow!,
      hashHigh: hashHigh!,
    };
  }

  #slow(bytes: Uint8Array, start: number, end: number, rows: Rows): number {
    const row = readRow(bytes, start, end, this.#range);
    if (typeof row === "string") return REJECTIONS.get(row)!;
    this.#hash(row.customerId, row.productId, row.quantity, row.day, row.amountCents, row.region);
    rows.add(Number(row.saleId & 0xffffffffn), Number(row.saleId >> 32n), this.#hashLow, this.#hashHigh);
    return CONVERTED;
  }

  /** Two 32-bit hashes of the MurmurHash3 kind (A. Appleby, public domain) with different seeds and constants. */
  #hash(
    customer: number | bigint,
    product: number,
    quantity: number,
    day: number,
    cents: number,
    region: number,
  ): void {
    const big = typeof customer === "bigint";
    const customerLow = big ? Number(customer & 0xffffffffn) : customer >>> 0;
    const customerHigh = big ? Number(customer >> 32n) : Math.floor(customer / TWO_32);
    let low = this.#seed;
    let high = ~this.#seed;
    const centsHigh = Math.floor(cents / TWO_32);
    low = step(low, customerLow, 0xcc9e2d51);
    high = step(high, customerLow, 0x1b873593);
    low = step(low, customerHigh ^ Math.imul(centsHigh, 0x85ebca6b), 0xcc9e2d51);
    high = step(high, centsHigh ^ Math.imul(customerHigh, 0xc2b2ae35), 0x1b873593);
    low = step(low, cents, 0xcc9e2d51);
    high = step(high, cents, 0x1b873593);
    low = step(low, product, 0xcc9e2d51);
    high = step(high, product, 0x1b873593);
    low = step(low, quantity, 0xcc9e2d51);
    high = step(high, quantity, 0x1b873593);
    low = step(low, day * 4 + region, 0xcc9e2d51);
    high = step(high, day * 4 + region, 0x1b873593);
    this.#hashLow = finish(low) >>> 0;
    this.#hashHigh = finish(high) >>> 0;
  }
}

function step(hash: number, value: number, factor: number): number {
  value = Math.imul(value, factor);
  value = (value << 15) | (value >>> 17);
  hash ^= value;
  hash = (hash << 13) | (hash >>> 19);
  return (Math.imul(hash, 5) + 0xe6546b64) | 0;
}

function finish(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
