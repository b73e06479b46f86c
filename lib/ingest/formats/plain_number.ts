/** Numbers of workbooks, JSON lines and Parquet files as plain decimal text. No I/O. */

/** Mark before the decimals. */
export type DecimalMark = "." | ",";

/** Significant digits that suffice to read any 32-bit number back. */
const FLOAT32_DIGITS = 9;

/** Writes `1.5e-7` as `0.00000015` and `1e21` as `1000000000000000000000`. */
function expandExponent(text: string): string {
  const [mantissa, exponentText] = text.split("e");
  if (exponentText === undefined) return text;
  const [, sign, whole, decimals = ""] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(mantissa!)!;
  const digits = whole! + decimals;
  const point = whole!.length + Number(exponentText);
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`;
  return point >= digits.length
    ? `${sign}${digits.padEnd(point, "0")}`
    : `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** Writes a decimal text with another mark. */
export function withMark(text: string, mark: DecimalMark): string {
  return mark === "." ? text : text.replace(".", mark);
}

/**
 * Formats a number as the shortest decimal that reads back the same, never with an exponent: `0.1`, `-1234.5`, `0.0000001`.
 *
 * @param mark mark before the decimals
 */
export function formatNumber(value: number, mark: DecimalMark = "."): string {
  const text = String(value);
  return withMark(Number.isFinite(value) && text.includes("e") ? expandExponent(text) : text, mark);
}

/** Formats a 32-bit number as {@linkcode formatNumber}: the shortest decimal that reads back the same 32-bit number. */
export function formatFloat32(value: number, mark: DecimalMark = "."): string {
  if (!Number.isFinite(value)) return String(value);
  let digits = 1;
  while (digits < FLOAT32_DIGITS && Math.fround(Number(value.toPrecision(digits))) !== value) digits++;
  return formatNumber(Number(value.toPrecision(digits)), mark);
}

/**
 * Formats a whole number that counts units of a power of ten: 1050 with two decimals is `10.50`.
 *
 * @param unscaled the number without its point
 * @param decimals number of decimals; a negative number adds zeros
 */
export function formatScaled(unscaled: bigint | number, decimals: number, mark: DecimalMark = "."): string {
  const text = String(unscaled);
  if (decimals === 0) return text;
  if (decimals < 0) return text === "0" ? text : text + "0".repeat(-decimals);
  const isNegative = text.startsWith("-");
  const digits = (isNegative ? text.slice(1) : text).padStart(decimals + 1, "0");
  return `${isNegative ? "-" : ""}${digits.slice(0, -decimals)}${mark}${digits.slice(-decimals)}`;
}
