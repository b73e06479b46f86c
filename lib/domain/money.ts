/** Exact money: whole cents (kopecks) as bigint for sums, decimal text at every border. No floating point. */

/** Parses canonical decimal text with exactly two decimals, such as `1234.50` or `-0.05`, into cents. @throws {RangeError} for any other text */
export function toCents(text: string): bigint {
  const found = /^(-?)(\d+)\.(\d{2})$/.exec(text);
  if (!found) throw new RangeError(`Cannot read ${JSON.stringify(text)} as money: it must look like 1234.50`);
  const cents = BigInt(found[2]! + found[3]!);
  return found[1] === "-" ? -cents : cents;
}

/** Canonical decimal text of cents, such as `1234.50`. */
export function fromCents(cents: bigint): string {
  const digits = (cents < 0n ? -cents : cents).toString().padStart(3, "0");
  return `${cents < 0n ? "-" : ""}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

/** For people: `1 234 567.50`, with no-break spaces between thousands. */
export function formatMoney(text: string): string {
  const [whole, fraction] = text.split(".");
  return whole!.replace(/\B(?=(\d{3})+$)/g, "\u00a0") + (fraction === undefined ? "" : `.${fraction}`);
}

/** `a·scale / b`, rounded once, half up, for a ≥ 0 and b > 0. */
export function divideHalfUp(a: bigint, b: bigint, scale = 1n): bigint {
  return (2n * a * scale + b) / (2n * b);
}
