/** Formats numbers, money and dates. Exact: takes integers, and rounds once, half away from zero. */
import { type IsoDate, toDay } from "../domain/dates.ts";
import { divideHalfUp, fromCents } from "../domain/money.ts";

/** Narrow no-break space, the thousands separator and the separator between a number and its unit. */
export const THIN_SPACE = "\u202f";
const MINUS_SIGN = "\u2212";

const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
] as const;

/** Names of the weekdays, Monday first. */
export const WEEKDAYS = [
  "Monday",
  "Tuesday",
  "Wednesday",
  "Thursday",
  "Friday",
  "Saturday",
  "Sunday",
] as const;

function groupDigits(digits: string): string {
  return digits.replace(/\B(?=(\d{3})+$)/g, THIN_SPACE);
}

/** Formats an integer as `1 020 400`. */
export function formatCount(value: bigint | number): string {
  const text = String(value);
  return text.startsWith("-") ? MINUS_SIGN + groupDigits(text.slice(1)) : groupDigits(text);
}

/** Formats cents as `13 057.78`, for columns with ₽ in the header. */
export function formatAmount(cents: bigint): string {
  const [whole, fraction] = fromCents(cents < 0n ? -cents : cents).split(".");
  return `${cents < 0n ? MINUS_SIGN : ""}${groupDigits(whole!)}.${fraction}`;
}

/** Formats cents as `₽13 057.78`. */
export function formatRoubles(cents: bigint): string {
  return cents < 0n ? `${MINUS_SIGN}₽${formatAmount(-cents)}` : `₽${formatAmount(cents)}`;
}

/** Units of compact amounts, in roubles. A unit applies as long as the rounded number is below its limit. */
const UNITS = [
  { scale: 1n, limit: 10_000n, name: "" },
  { scale: 1_000n, limit: 1_000n, name: `${THIN_SPACE}k` },
  { scale: 1_000_000n, limit: 1_000n, name: `${THIN_SPACE}m` },
  { scale: 1_000_000_000n, limit: 1_000n, name: `${THIN_SPACE}bn` },
] as const;
const LARGEST_UNIT = { scale: 1_000_000_000_000n, name: `${THIN_SPACE}tn` };

/**
 * Formats cents as `₽13.1 bn`, `₽43 k` or `₽870`: `digits` significant digits with at most two decimals, but all digits
 * of the integer part. Kopecks are rounded.
 */
export function formatCompactRoubles(cents: bigint, digits = 3): string {
  if (cents < 0n) return MINUS_SIGN + formatCompactRoubles(-cents, digits);
  const { scale, name } = UNITS.find(({ scale, limit }) => divideHalfUp(cents, scale * 100n) < limit) ??
    LARGEST_UNIT;
  const wholeDigits = String(cents / (scale * 100n)).length;
  const decimals = scale === 1n ? 0 : Math.max(0, Math.min(2, digits - wholeDigits));
  const scaled = divideHalfUp(cents, scale * 100n, 10n ** BigInt(decimals)).toString().padStart(
    decimals + 1,
    "0",
  );
  const whole = groupDigits(scaled.slice(0, scaled.length - decimals));
  const fraction = scaled.slice(scaled.length - decimals).replace(/0+$/, "");
  return `₽${whole}${fraction && `.${fraction}`}${name}`;
}

/** Formats tenths of a percent as `12.3%`. */
function formatTenths(value: bigint): string {
  return `${groupDigits((value / 10n).toString())}.${value % 10n}%`;
}

/** Formats `part / whole` as `12.3%`; `<0.1%` if a positive share rounds to zero, `–` if `whole` is zero. */
export function formatShare(part: bigint, whole: bigint): string {
  if (whole === 0n) return "–";
  const value = divideHalfUp(part, whole, 1000n);
  return value === 0n && part > 0n ? "<0.1%" : formatTenths(value);
}

/** Formats a share in millionths as `12.3%`. */
export function formatMillionths(value: bigint): string {
  return formatShare(value, 1_000_000n);
}

/** Formats the relative change as `+4.2%`, `−0.3%` or `±0.0%`; `–` if `before` is not positive. */
export function formatChange(now: bigint, before: bigint): string {
  if (before <= 0n) return "–";
  const difference = now - before;
  const value = divideHalfUp(difference < 0n ? -difference : difference, before, 1000n);
  return `${value === 0n ? "±" : difference < 0n ? MINUS_SIGN : "+"}${formatTenths(value)}`;
}

/** Formats the relative change in words: `4.2% more than`, `0.3% less than` or `as much as`. */
export function formatComparison(now: bigint, before: bigint): string {
  const text = formatChange(now, before);
  if (text.startsWith("±")) return "as much as";
  return `${text.slice(1)} ${now > before ? "more" : "less"} than`;
}

/** Formats a date as `24 November 2026`. */
export function formatLongDate(date: IsoDate): string {
  return `${Number(date.slice(8))}\u00a0${monthName(Number(date.slice(5, 7)))}\u00a0${
    Number(date.slice(0, 4))
  }`;
}

/** Formats a date as `24 Nov`. */
export function formatShortDate(date: IsoDate): string {
  return `${Number(date.slice(8))}\u00a0${shortMonthName(Number(date.slice(5, 7)))}`;
}

/** Returns the abbreviated name of a month, 1 to 12, such as `Nov`. */
export function shortMonthName(month: number): string {
  return MONTHS[month - 1]!.slice(0, 3);
}

/** Returns the name of a month, 1 to 12. */
export function monthName(month: number): string {
  return MONTHS[month - 1]!;
}

/** Returns the weekday of a date, from 0 (Monday) to 6 (Sunday). */
export function weekdayIndex(date: IsoDate): number {
  // 1970-01-01 was a Thursday.
  return (((toDay(date) + 3) % 7) + 7) % 7;
}

/** Formats seconds as `0.78 s`, `12.3 s`, `3 min 05 s` or `2 h 05 min`. */
export function formatDuration(seconds: number): string {
  if (seconds < 59.95) return `${seconds.toFixed(seconds < 9.995 ? 2 : 1)}${THIN_SPACE}s`;
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}${THIN_SPACE}min ${String(whole % 60).padStart(2, "0")}${THIN_SPACE}s`;
  return `${formatCount(Math.floor(minutes / 60))}${THIN_SPACE}h ${
    String(minutes % 60).padStart(2, "0")
  }${THIN_SPACE}min`;
}

/** Formats the rows per second of a stage, by the larger of rows in and out; undefined without time or rows. */
export function formatRowsPerSecond(
  { rows_in, rows_out, seconds }: { rows_in: number | null; rows_out: number | null; seconds: number | null },
): string | undefined {
  const rows = Math.max(rows_in ?? 0, rows_out ?? 0);
  return seconds && rows > 0 ? formatCount(Math.round(rows / seconds)) : undefined;
}
