/** The raw rows of a range of sales: the sales themselves, some oddly spelt, with duplicates and defects among them. No I/O. */
import { fromCents } from "../domain/money.ts";
import { noRejections, type Reason, type ReasonCounts, REGIONS } from "../domain/sale.ts";
import { DEFECTS, type Fields, REFORMATS } from "./defects.ts";
import { encodeAll, type LineBuffer } from "./line_buffer.ts";
import { Stream } from "./random.ts";
import type { Sale, Shop } from "./shop.ts";

/** What was injected, and so what cleaning has to find. */
export interface DefectCounts {
  /** Distinct valid sales. */
  rows: number;
  /** All data rows written. */
  raw_rows: number;
  duplicates: number;
  rejected: number;
  rejected_by_reason: ReasonCounts;
  /** Valid sales spelt oddly, which cleaning converts, by kind. */
  reformatted: Record<string, number>;
}

/** What the distinct valid sales add up to, and so what the clean rows have to. */
export interface SaleSums {
  quantity: bigint;
  cents: bigint;
}

/** The sums of no sales. */
export function noSums(): SaleSums {
  return { quantity: 0n, cents: 0n };
}

/** Adds the sums of another range. */
export function addSums(sum: SaleSums, other: SaleSums): void {
  sum.quantity += other.quantity;
  sum.cents += other.cents;
}

/** Nothing injected. */
export function noDefects(): DefectCounts {
  return {
    rows: 0,
    raw_rows: 0,
    duplicates: 0,
    rejected: 0,
    rejected_by_reason: noRejections(),
    reformatted: Object.fromEntries(Object.keys(REFORMATS).map((kind) => [kind, 0])),
  };
}

/** Adds the counts of another range. */
export function addDefects(sum: DefectCounts, other: DefectCounts): void {
  sum.rows += other.rows;
  sum.raw_rows += other.raw_rows;
  sum.duplicates += other.duplicates;
  sum.rejected += other.rejected;
  for (const reason of Object.keys(sum.rejected_by_reason) as Reason[]) {
    sum.rejected_by_reason[reason] += other.rejected_by_reason[reason];
  }
  for (const kind of Object.keys(sum.reformatted)) sum.reformatted[kind]! += other.reformatted[kind]!;
}

/** Share of duplicates among injected rows; the rest is shared by the reasons. */
const DUPLICATE_SHARE = 0.4;
/** A duplicate or conflict repeats one of this many sales before it. */
const MAX_DUPLICATE_DISTANCE = 20_000;
const REFORMAT_KINDS = Object.keys(REFORMATS);
const DEFECT_KINDS = Object.keys(DEFECTS) as (keyof typeof DEFECTS)[];

/** Far below 2^53, where numbers are no longer exact. */
const CENTS_PER_FLUSH = 2 ** 50;

const newSale = (): Sale => ({
  saleId: 0,
  customerId: 0,
  productId: 0,
  quantity: 0,
  day: 0,
  amountCents: 0,
  region: 0,
});

/** Writes raw lines, one sale (and what is injected after it) at a time. */
export class RawLines {
  readonly counts: DefectCounts = noDefects();
  /** Numbers are faster, and both stay exact: a sale has less than 2^31 cents. */
  #quantity = 0;
  #cents = 0;
  #wholeCents = 0n;
  readonly #shop: Shop;
  readonly #defectRate: number;
  readonly #sale = newSale();
  readonly #other = newSale();
  readonly #dates: Uint8Array[];
  readonly #regions = encodeAll(REGIONS);

  /** @param defectRate share of injected rows, and of oddly spelt sales, per sale, 0 … 1 */
  constructor(shop: Shop, defectRate: number) {
    this.#shop = shop;
    this.#defectRate = defectRate;
    this.#dates = encodeAll(this.#shop.calendar.dates);
  }

  /** Of the distinct valid sales written so far. */
  get sums(): SaleSums {
    return { quantity: BigInt(this.#quantity), cents: this.#wholeCents + BigInt(this.#cents) };
  }

  /** Writes sale `index` and, at the defect rate, one injected row after it: at most two lines. */
  write(index: number, lines: LineBuffer): void {
    const { random } = this.#shop;
    this.#shop.make(index, this.#sale);
    this.#quantity += this.#sale.quantity;
    this.#cents += this.#sale.amountCents;
    if (this.#cents > CENTS_PER_FLUSH) {
      this.#wholeCents += BigInt(this.#cents);
      this.#cents = 0;
    }
    if (random.unit(Stream.Reformat, index) < this.#defectRate) {
      this.#reformatted(index, this.#sale, lines, true);
    } else this.#canonical(this.#sale, lines);
    this.counts.rows++;
    if (random.unit(Stream.Extra, index) < this.#defectRate) this.#extra(index, lines);
  }

  #canonical(sale: Sale, lines: LineBuffer): void {
    lines.number(sale.saleId);
    lines.comma();
    lines.number(sale.customerId);
    lines.comma();
    lines.number(sale.productId);
    lines.comma();
    lines.number(sale.quantity);
    lines.comma();
    lines.bytes(this.#dates[sale.day]!);
    lines.comma();
    lines.money(sale.amountCents);
    lines.comma();
    lines.bytes(this.#regions[sale.region]!);
    lines.endLine();
    this.counts.raw_rows++;
  }

  #fields(sale: Sale): Fields {
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

  #line(text: string, lines: LineBuffer): void {
    lines.text(text);
    lines.endLine();
    this.counts.raw_rows++;
  }

  #reformatted(index: number, sale: Sale, lines: LineBuffer, count: boolean): void {
    const { random } = this.#shop;
    const kind = REFORMAT_KINDS[random.below(REFORMAT_KINDS.length, Stream.ReformatKind, index)]!;
    const fields = this.#fields(sale);
    REFORMATS[kind]!(fields, random.uint32(Stream.ReformatDetail, index));
    this.#line(fields.join(","), lines);
    if (count) this.counts.reformatted[kind]!++;
  }

  #extra(index: number, lines: LineBuffer): void {
    const { random } = this.#shop;
    const detail = random.uint32(Stream.ExtraDetail, index);
    const unit = random.unit(Stream.ExtraKind, index);
    const kind = Math.floor((unit - DUPLICATE_SHARE) / (1 - DUPLICATE_SHARE) * (DEFECT_KINDS.length + 1));
    if (kind < 0 || kind === DEFECT_KINDS.length) {
      const earlier = index -
        random.below(Math.min(index + 1, MAX_DUPLICATE_DISTANCE), Stream.DuplicateDistance, index);
      this.#shop.make(earlier, this.#other);
      if (kind < 0) this.#duplicate(index, detail, lines);
      else this.#conflict(lines);
      return;
    }
    const reason = DEFECT_KINDS[kind]!;
    this.#shop.makeExtra(index, this.#other);
    this.#line(DEFECTS[reason](this.#fields(this.#other), detail, this.#shop.asOf), lines);
    this.#reject(reason);
  }

  /** The same sale again, every other time spelt oddly. */
  #duplicate(index: number, detail: number, lines: LineBuffer): void {
    if (detail & 1) this.#reformatted(index, this.#other, lines, false);
    else this.#canonical(this.#other, lines);
    this.counts.duplicates++;
  }

  /** The same sale_id with one piece more. */
  #conflict(lines: LineBuffer): void {
    const sale = this.#other;
    sale.amountCents += sale.amountCents / sale.quantity;
    sale.quantity++;
    this.#canonical(sale, lines);
    this.#reject("conflicting_duplicate");
  }

  #reject(reason: Reason): void {
    this.counts.rejected++;
    this.counts.rejected_by_reason[reason]++;
  }
}
