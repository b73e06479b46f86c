/** Raw lines of sales: the sales themselves, some in another format, with duplicates and defects injected. No I/O. */
import { fromCents } from "../domain/money.ts";
import { type Reason, type ReasonCounts, REGIONS, zeroReasonCounts } from "../domain/sale.ts";
import { DEFECTS, type Fields, REFORMATS } from "./defects.ts";
import { encodeAll, type LineBuffer } from "./line_buffer.ts";
import { Stream } from "./random.ts";
import type { Sale, Shop } from "./shop.ts";

/** Counts of what was injected, and so of what clean must find. Written to defects.json. */
export interface DefectCounts {
  /** Number of distinct valid sales. */
  rows: number;
  /** Number of data rows written. */
  raw_rows: number;
  /** Number of injected duplicates. */
  duplicates: number;
  /** Number of injected rows that clean rejects. */
  rejected: number;
  /** The same by reason. */
  rejected_by_reason: ReasonCounts;
  /** Number of valid sales in another format, which clean converts, by kind. */
  reformatted: Record<string, number>;
}

/** Sums over the distinct valid sales, and so over the clean rows. */
export interface SaleSums {
  /** Sum of quantities. */
  quantity: bigint;
  /** Sum of amounts in cents. */
  cents: bigint;
}

/** Returns sums of zero. */
export function zeroSums(): SaleSums {
  return { quantity: 0n, cents: 0n };
}

/** Adds the sums of another range to `sum`. */
export function addSums(sum: SaleSums, other: SaleSums): void {
  sum.quantity += other.quantity;
  sum.cents += other.cents;
}

/** Returns counts of zero. */
export function zeroDefectCounts(): DefectCounts {
  return {
    rows: 0,
    raw_rows: 0,
    duplicates: 0,
    rejected: 0,
    rejected_by_reason: zeroReasonCounts(),
    reformatted: Object.fromEntries(Object.keys(REFORMATS).map((kind) => [kind, 0])),
  };
}

/** Adds the counts of another range to `sum`. */
export function addDefectCounts(sum: DefectCounts, other: DefectCounts): void {
  sum.rows += other.rows;
  sum.raw_rows += other.raw_rows;
  sum.duplicates += other.duplicates;
  sum.rejected += other.rejected;
  for (const reason of Object.keys(sum.rejected_by_reason) as Reason[]) {
    sum.rejected_by_reason[reason] += other.rejected_by_reason[reason];
  }
  for (const kind of Object.keys(sum.reformatted)) sum.reformatted[kind]! += other.reformatted[kind]!;
}

/** Share of duplicates among injected rows; the reasons share the rest equally. */
const DUPLICATE_SHARE = 0.4;
/** A duplicate or conflict repeats one of this many latest sales. */
const MAX_DUPLICATE_DISTANCE = 20_000;
const REFORMAT_KINDS = Object.keys(REFORMATS);
const DEFECT_KINDS = Object.keys(DEFECTS) as (keyof typeof DEFECTS)[];

/** Far below 2^53, beyond which integers are not exact as numbers. */
const MAX_BUFFERED_CENTS = 2 ** 50;

const emptySale = (): Sale => ({
  saleId: 0,
  customerId: 0,
  productId: 0,
  quantity: 0,
  day: 0,
  amountCents: 0,
  region: 0,
});

/** Writes raw lines, one sale and the row injected after it at a time. */
export class RawLineWriter {
  /** Counts of the lines written so far. */
  readonly counts: DefectCounts = zeroDefectCounts();
  /** Sums as numbers, which are faster than bigint. Both stay exact: a sale has less than 2^31 cents. */
  #quantity = 0;
  #cents = 0;
  /** Cents flushed from `#cents`. */
  #flushedCents = 0n;
  readonly #shop: Shop;
  readonly #defectRate: number;
  readonly #sale = emptySale();
  readonly #other = emptySale();
  readonly #dates: Uint8Array[];
  readonly #regions = encodeAll(REGIONS);

  /**
   * Creates a writer with counts of zero.
   *
   * @param shop source of the sales
   * @param defectRate share of sales followed by an injected row, and share of sales in another format, 0 … 1
   */
  constructor(shop: Shop, defectRate: number) {
    this.#shop = shop;
    this.#defectRate = defectRate;
    this.#dates = encodeAll(this.#shop.calendar.dates);
  }

  /** Sums over the distinct valid sales written so far. */
  get sums(): SaleSums {
    return { quantity: BigInt(this.#quantity), cents: this.#flushedCents + BigInt(this.#cents) };
  }

  /** Writes sale `index` and, at the defect rate, an injected row after it: at most two lines. */
  writeSale(index: number, lines: LineBuffer): void {
    const { random } = this.#shop;
    const key = this.#shop.fillSale(index, this.#sale);
    this.#quantity += this.#sale.quantity;
    this.#cents += this.#sale.amountCents;
    if (this.#cents > MAX_BUFFERED_CENTS) {
      this.#flushedCents += BigInt(this.#cents);
      this.#cents = 0;
    }
    if (random.unit(Stream.Reformat, key) < this.#defectRate) {
      this.#writeReformatted(key, this.#sale, lines, true);
    } else this.#writeCanonical(this.#sale, lines);
    this.counts.rows++;
    if (random.unit(Stream.Extra, key) < this.#defectRate) this.#injectRow(index, key, lines);
  }

  #writeCanonical(sale: Sale, lines: LineBuffer): void {
    lines.appendInteger(sale.saleId);
    lines.appendComma();
    lines.appendInteger(sale.customerId);
    lines.appendComma();
    lines.appendInteger(sale.productId);
    lines.appendComma();
    lines.appendInteger(sale.quantity);
    lines.appendComma();
    lines.appendBytes(this.#dates[sale.day]!);
    lines.appendComma();
    lines.appendMoney(sale.amountCents);
    lines.appendComma();
    lines.appendBytes(this.#regions[sale.region]!);
    lines.endLine();
    this.counts.raw_rows++;
  }

  #toFields(sale: Sale): Fields {
    return [
      String(sale.saleId),
      String(sale.customerId),
      String(sale.productId),
      String(sale.quantity),
      this.#shop.calendar.dates[sale.day]!,
      fromCents(BigInt(sale.amountCents)),
      REGIONS[sale.region]!,
    ];
  }

  #writeLine(text: string, lines: LineBuffer): void {
    lines.appendText(text);
    lines.endLine();
    this.counts.raw_rows++;
  }

  #writeReformatted(key: number, sale: Sale, lines: LineBuffer, count: boolean): void {
    const { random } = this.#shop;
    const kind = REFORMAT_KINDS[random.below(REFORMAT_KINDS.length, Stream.ReformatKind, key)]!;
    const fields = this.#toFields(sale);
    REFORMATS[kind]!(fields, random.uint32(Stream.ReformatDetail, key));
    this.#writeLine(fields.join(","), lines);
    if (count) this.counts.reformatted[kind]!++;
  }

  #injectRow(index: number, key: number, lines: LineBuffer): void {
    const { random } = this.#shop;
    const detail = random.uint32(Stream.ExtraDetail, key);
    const unit = random.unit(Stream.ExtraKind, key);
    const kind = Math.floor((unit - DUPLICATE_SHARE) / (1 - DUPLICATE_SHARE) * (DEFECT_KINDS.length + 1));
    if (kind < 0 || kind === DEFECT_KINDS.length) {
      const earlier = index -
        random.below(Math.min(index + 1, MAX_DUPLICATE_DISTANCE), Stream.DuplicateDistance, key);
      this.#shop.fillSale(earlier, this.#other);
      if (kind < 0) this.#writeDuplicate(key, detail, lines);
      else this.#writeConflict(lines);
      return;
    }
    const reason = DEFECT_KINDS[kind]!;
    this.#shop.fillExtraSale(index, this.#other);
    this.#writeLine(DEFECTS[reason](this.#toFields(this.#other), detail, this.#shop.asOf), lines);
    this.#countRejection(reason);
  }

  /** Writes an earlier sale again, in another format half of the time. */
  #writeDuplicate(key: number, detail: number, lines: LineBuffer): void {
    if (detail & 1) this.#writeReformatted(key, this.#other, lines, false);
    else this.#writeCanonical(this.#other, lines);
    this.counts.duplicates++;
  }

  /** Writes an earlier sale with a quantity greater by one. */
  #writeConflict(lines: LineBuffer): void {
    const sale = this.#other;
    sale.amountCents += sale.amountCents / sale.quantity;
    sale.quantity++;
    this.#writeCanonical(sale, lines);
    this.#countRejection("conflicting_duplicate");
  }

  #countRejection(reason: Reason): void {
    this.counts.rejected++;
    this.counts.rejected_by_reason[reason]++;
  }
}
