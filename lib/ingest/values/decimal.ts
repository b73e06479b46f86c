/**
 * Exact arithmetic on decimal numbers: quotients of whole numbers, rounded once at the end. No floating point. No I/O.
 */

import { formatScaled } from "../formats/plain_number.ts";

/** The number `numerator / denominator`; the denominator is positive. Not reduced. */
export interface Quotient {
  /** Signed. */
  readonly numerator: bigint;
  /** At least 1. */
  readonly denominator: bigint;
}

/** Decimals that {@linkcode formatExact} gives of a number that has no end. */
export const MAX_DECIMALS = 20;

/**
 * Parses plain decimal text, such as `-12.50`.
 *
 * @throws {SyntaxError} for any other text
 */
export function parseQuotient(text: string): Quotient {
  const point = text.indexOf(".");
  if (point < 0) return { numerator: BigInt(text), denominator: 1n };
  const decimals = text.length - point - 1;
  return {
    numerator: BigInt(text.slice(0, point) + text.slice(point + 1)),
    denominator: 10n ** BigInt(decimals),
  };
}

/** Returns a + b. */
export function add(a: Quotient, b: Quotient): Quotient {
  return {
    numerator: a.numerator * b.denominator + b.numerator * a.denominator,
    denominator: a.denominator * b.denominator,
  };
}

/** Returns −a. */
export function negate({ numerator, denominator }: Quotient): Quotient {
  return { numerator: -numerator, denominator };
}

/** Returns a · b. */
export function multiply(a: Quotient, b: Quotient): Quotient {
  return { numerator: a.numerator * b.numerator, denominator: a.denominator * b.denominator };
}

/** Returns a / b; undefined when b is zero. */
export function divide(a: Quotient, b: Quotient): Quotient | undefined {
  if (b.numerator === 0n) return undefined;
  const sign = b.numerator < 0n ? -1n : 1n;
  return { numerator: sign * a.numerator * b.denominator, denominator: sign * b.numerator * a.denominator };
}

/** Formats a number with so many decimals, rounded half away from zero: half up, for the amounts that are not negative. */
export function formatRounded({ numerator, denominator }: Quotient, decimals: number): string {
  const size = numerator < 0n ? -numerator : numerator;
  const rounded = (2n * size * 10n ** BigInt(decimals) + denominator) / (2n * denominator);
  return formatScaled(numerator < 0n ? -rounded : rounded, decimals);
}

/** Formats a number with as many decimals as it has, at most {@linkcode MAX_DECIMALS}. */
export function formatExact(quotient: Quotient): string {
  const text = formatRounded(quotient, MAX_DECIMALS);
  return text.replace(/\.?0+$/, "");
}
