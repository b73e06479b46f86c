/** First pass over a range: a status for every line, and sale_id and content hash of every accepted row. */
import { REASONS } from "../domain/sale.ts";
import { CanonicalScanner } from "./canonical_scanner.ts";
import { forEachLine, isBlank } from "./lines.ts";
import { type ConvertedRow, convertRow, type DayRange, MAX_LINE_BYTES, splitLine } from "./rules.ts";
import { BLANK, CANONICAL, CONVERTED, REJECTED } from "./row_status.ts";

/** Result of the first pass over a range. Rows are the accepted lines, in order. */
export interface ValidatedRows {
  /** One of row_status.ts for each line. */
  statuses: Uint8Array<ArrayBuffer>;
  /** Low half of the sale_id of each row. */
  idLow: Uint32Array<ArrayBuffer>;
  /** High half of the sale_id of each row. */
  idHigh: Uint32Array<ArrayBuffer>;
  /** Low half of the 64-bit hash of the other values of each row. */
  hashLow: Uint32Array<ArrayBuffer>;
  /** High half of that hash. */
  hashHigh: Uint32Array<ArrayBuffer>;
}

const TWO_32 = 4_294_967_296;
const STATUS_BY_REASON = new Map(REASONS.map((reason, index) => [reason, REJECTED + index]));

/** As the data contract requires: invalid UTF-8 becomes U+FFFD, a byte order mark is kept. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Decodes the line at [start, end). */
export function decodeLine(bytes: Uint8Array, start: number, end: number): string {
  return decoder.decode(bytes.subarray(start, end));
}

/** Parses a line to a row, or returns the reason to reject it. */
export function parseRow(
  bytes: Uint8Array,
  start: number,
  end: number,
  range: DayRange,
): ConvertedRow | typeof REASONS[number] {
  if (end - start > MAX_LINE_BYTES) return "malformed_row";
  const values = splitLine(decodeLine(bytes, start, end));
  return values ? convertRow(values, range) : "malformed_row";
}

/** Growable columns of {@linkcode ValidatedRows}. */
class RowColumns {
  columns: Uint32Array<ArrayBuffer>[];
  count = 0;

  /** @param initialLength estimated number of rows */
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
    const [idsLow, idsHigh, hashesLow, hashesHigh] = this.columns;
    idsLow![this.count] = idLow;
    idsHigh![this.count] = idHigh;
    hashesLow![this.count] = hashLow;
    hashesHigh![this.count++] = hashHigh;
  }
}

/** Validates all lines of a range. */
export class RangeValidator {
  readonly #range: DayRange;
  readonly #scanner: CanonicalScanner;
  readonly #seed: number;
  #hashLow = 0;
  #hashHigh = 0;

  /**
   * Creates a validator.
   *
   * @param range days to accept
   * @param seed random per run, so that crafted rows cannot be made to collide
   */
  constructor(range: DayRange, seed: number) {
    this.#range = range;
    this.#scanner = new CanonicalScanner(range);
    this.#seed = seed;
  }

  /** Validates the lines in `bytes`. */
  validate(bytes: Uint8Array): ValidatedRows {
    let statuses = new Uint8Array(Math.max(16, bytes.length >> 4));
    const rows = new RowColumns(Math.max(16, bytes.length >> 5));
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
          scanner.customerLow,
          scanner.customerHigh,
          scanner.productLow,
          scanner.productHigh,
          scanner.quantity,
          scanner.day,
          scanner.amountCents,
          scanner.region,
        );
        rows.add(scanner.saleLow, scanner.saleHigh, this.#hashLow, this.#hashHigh);
      } else {
        statuses[count++] = isBlank(bytes, start, end) ? BLANK : this.#validateLine(bytes, start, end, rows);
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

  /** Slow path: validates a line that is not canonical and adds its row when it is accepted. */
  #validateLine(bytes: Uint8Array, start: number, end: number, rows: RowColumns): number {
    const row = parseRow(bytes, start, end, this.#range);
    if (typeof row === "string") return STATUS_BY_REASON.get(row)!;
    const { saleId, customerId, productId } = row;
    this.#hash(
      lowHalf(customerId),
      highHalf(customerId),
      lowHalf(productId),
      highHalf(productId),
      row.quantity,
      row.day,
      row.amountCents,
      row.region,
    );
    rows.add(lowHalf(saleId), highHalf(saleId), this.#hashLow, this.#hashHigh);
    return CONVERTED;
  }

  /** Computes two 32-bit hashes in the style of MurmurHash3 (A. Appleby, public domain), with different seeds and constants. */
  #hash(
    customerLow: number,
    customerHigh: number,
    productLow: number,
    productHigh: number,
    quantity: number,
    day: number,
    cents: number,
    region: number,
  ): void {
    let low = this.#seed;
    let high = ~this.#seed;
    const centsHigh = Math.floor(cents / TWO_32);
    low = mixBlock(low, customerLow, 0xcc9e2d51);
    high = mixBlock(high, customerLow, 0x1b873593);
    low = mixBlock(low, customerHigh ^ Math.imul(centsHigh, 0x85ebca6b), 0xcc9e2d51);
    high = mixBlock(high, centsHigh ^ Math.imul(customerHigh, 0xc2b2ae35), 0x1b873593);
    low = mixBlock(low, cents, 0xcc9e2d51);
    high = mixBlock(high, cents, 0x1b873593);
    low = mixBlock(low, productLow, 0xcc9e2d51);
    high = mixBlock(high, productLow, 0x1b873593);
    // Zero unless the id is a surrogate key; otherwise this block would take 7% of the pass.
    if (productHigh !== 0) {
      low = mixBlock(low, productHigh, 0xcc9e2d51);
      high = mixBlock(high, productHigh, 0x1b873593);
    }
    low = mixBlock(low, quantity, 0xcc9e2d51);
    high = mixBlock(high, quantity, 0x1b873593);
    low = mixBlock(low, day * 4 + region, 0xcc9e2d51);
    high = mixBlock(high, day * 4 + region, 0x1b873593);
    this.#hashLow = fmix32(low) >>> 0;
    this.#hashHigh = fmix32(high) >>> 0;
  }
}

/** Returns the low 32 bits of an id. */
function lowHalf(id: bigint): number {
  return Number(id & 0xffffffffn);
}

/** Returns the high 32 bits of an id. */
function highHalf(id: bigint): number {
  return Number(id >> 32n);
}

/** Block step of MurmurHash3. */
function mixBlock(hash: number, value: number, factor: number): number {
  value = Math.imul(value, factor);
  value = (value << 15) | (value >>> 17);
  hash ^= value;
  hash = (hash << 13) | (hash >>> 19);
  return (Math.imul(hash, 5) + 0xe6546b64) | 0;
}

/** Finalizer of MurmurHash3. */
function fmix32(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
