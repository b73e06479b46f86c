/** Exact money: whole cents (kopecks) as bigint in sums, decimal text in files and databases. No floating point. */

/**
 * Parses decimal text with exactly two decimals, such as `1234.50` or `-0.05`, into cents.
 *
 * @throws {RangeError} for any other text
 */
export function toCents(text: string): bigint {
  const match = /^(-?)(\d+)\.(\d{2})$/.exec(text);
  if (!match) {
    throw new RangeError(`Cannot parse ${JSON.stringify(text)} as money: it must look like 1234.50`);
  }
  const cents = BigInt(match[2]! + match[3]!);
  return match[1] === "-" ? -cents : cents;
}

/** Formats cents as canonical decimal text, such as `1234.50`. */
export function fromCents(cents: bigint): string {
  const digits = (cents < 0n ? -cents : cents).toString().padStart(3, "0");
  return `${cents < 0n ? "-" : ""}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

/** Formats decimal text for display, with no-break spaces between thousands: `1 234 567.50`. */
export function formatMoney(text: string): string {
  const [whole, fraction] = text.split(".");
  return whole!.replace(/\B(?=(\d{3})+$)/g, "\u00a0") + (fraction === undefined ? "" : `.${fraction}`);
}

/** Returns `a·scale / b`, rounded half up. Requires a ≥ 0 and b > 0. */
export function divideHalfUp(a: bigint, b: bigint, scale = 1n): bigint {
  return (2n * a * scale + b) / (2n * b);
}
