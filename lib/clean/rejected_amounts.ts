/** Sums of the amounts of rejected rows, by reason: how much money is not in clean/. No I/O. */
import { fromCents } from "../domain/money.ts";
import { type Reason, REASONS } from "../domain/sale.ts";
import { decodeLine } from "./validate.ts";
import { MAX_LINE_BYTES, parseAmount, splitLine } from "./rules.ts";

/** Amounts of rows that were rejected for one reason. */
export interface RejectedAmount {
  /** Rows whose amount is valid; the others are not in the sum. */
  rows: number;
  /** Their sum, as decimal text. */
  amount: string;
}

/** Adds up amounts. May be sent between threads. */
export interface AmountSums {
  /** Rows with a valid amount, in the order of REASONS. */
  rows: number[];
  /** Their sums in cents. */
  cents: bigint[];
}

/** Returns sums of nothing. */
export function zeroAmountSums(): AmountSums {
  return { rows: REASONS.map(() => 0), cents: REASONS.map(() => 0n) };
}

/** Adds the amount of a rejected line, if it has a valid one. @param reason index in REASONS */
export function addRejectedLine(
  sums: AmountSums,
  reason: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  if (end - start > MAX_LINE_BYTES) return;
  const values = splitLine(decodeLine(bytes, start, end));
  const cents = values && parseAmount(values[5]!);
  if (cents === undefined) return;
  sums.rows[reason]!++;
  sums.cents[reason]! += BigInt(cents);
}

/** Adds the sums of a part. */
export function addAmountSums(sums: AmountSums, more: AmountSums): void {
  for (let reason = 0; reason < REASONS.length; reason++) {
    sums.rows[reason]! += more.rows[reason]!;
    sums.cents[reason]! += more.cents[reason]!;
  }
}

/** Returns the amounts of all reasons, zeros included. */
export function toRejectedAmounts({ rows, cents }: AmountSums): Record<Reason, RejectedAmount> {
  return Object.fromEntries(
    REASONS.map((reason, index) => [reason, { rows: rows[index]!, amount: fromCents(cents[index]!) }]),
  ) as Record<Reason, RejectedAmount>;
}
