/** Numbers, money and dates for people. Exact: whole numbers in, rounded once, half up (away from zero). */
import type { IsoDate } from "../domain/dates.ts";
import { toDay } from "../domain/dates.ts";
import { divideHalfUp, fromCents } from "../domain/money.ts";

/** Narrow no-break space: between thousands, and between a number and its unit. */
export const THIN = "\u202f";
const MINUS = "\u2212";

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

/** Weekdays in the shop's order, Monday first. */
export const WEEKDAYS = [
  "Monday",
  "Tuesday",
  "Wednesday",
  "Thursday",
  "Friday",
  "Saturday",
  "Sunday",
] as const;

function grouped(digits: string): string {
  return digits.replace(/\B(?=(\d{3})+$)/g, THIN);
}

/** `1 020 400`. */
export function count(value: bigint | number): string {
  const text = String(value);
  return text.startsWith("-") ? MINUS + grouped(text.slice(1)) : grouped(text);
}

/** `13 057.78`, for a column that says ₽ in its head. */
export function amount(cents: bigint): string {
  const [whole, fraction] = fromCents(cents < 0n ? -cents : cents).split(".");
  return `${cents < 0n ? MINUS : ""}${grouped(whole!)}.${fraction}`;
}

/** `₽13 057.78`. */
export function roubles(cents: bigint): string {
  return cents < 0n ? `${MINUS}₽${amount(-cents)}` : `₽${amount(cents)}`;
}

/** Units of short amounts, in roubles; a unit is used while its rounded number stays below the limit. */
const UNITS = [
  { scale: 1n, limit: 10_000n, name: "" },
  { scale: 1_000n, limit: 1_000n, name: `${THIN}k` },
  { scale: 1_000_000n, limit: 1_000n, name: `${THIN}m` },
  { scale: 1_000_000_000n, limit: 1_000n, name: `${THIN}bn` },
] as const;
const LARGEST = { scale: 1_000_000_000_000n, name: `${THIN}tn` };

/** `₽13.1 bn`, `₽43 k`, `₽870`: at most `digits` significant digits, but the whole part whole; kopecks are rounded. */
export function shortRoubles(cents: bigint, digits = 3): string {
  if (cents < 0n) return MINUS + shortRoubles(-cents, digits);
  const { scale, name } = UNITS.find(({ scale, limit }) => divideHalfUp(cents, scale * 100n) < limit) ??
    LARGEST;
  const wholeDigits = String(cents / (scale * 100n)).length;
  const decimals = scale === 1n ? 0 : Math.max(0, Math.min(2, digits - wholeDigits));
  const scaled = divideHalfUp(cents, scale * 100n, 10n ** BigInt(decimals)).toString().padStart(
    decimals + 1,
    "0",
  );
  const whole = grouped(scaled.slice(0, scaled.length - decimals));
  const fraction = scaled.slice(scaled.length - decimals).replace(/0+$/, "");
  return `₽${whole}${fraction && `.${fraction}`}${name}`;
}

/** Tenths of a per cent as `12.3%`. */
function tenths(value: bigint): string {
  return `${grouped((value / 10n).toString())}.${value % 10n}%`;
}

/** `part / whole` as `12.3%`; a part that is there never shows as nothing (`<0.1%`), and nothing of nothing is `–`. */
export function share(part: bigint, whole: bigint): string {
  if (whole === 0n) return "–";
  const value = divideHalfUp(part, whole, 1000n);
  return value === 0n && part > 0n ? "<0.1%" : tenths(value);
}

/** A stored share in millionths as `12.3%`. */
export function millionths(value: bigint): string {
  return share(value, 1_000_000n);
}

/** How `now` differs from `before`: `+4.2%`, `−0.3%`, `±0.0%`; `–` when there is nothing to compare with. */
export function change(now: bigint, before: bigint): string {
  if (before <= 0n) return "–";
  const difference = now - before;
  const value = divideHalfUp(difference < 0n ? -difference : difference, before, 1000n);
  return `${value === 0n ? "±" : difference < 0n ? MINUS : "+"}${tenths(value)}`;
}

/** How `now` differs from `before`, in a sentence: `4.2% more than`, `0.3% less than`, `as much as`. */
export function compared(now: bigint, before: bigint): string {
  const text = change(now, before);
  if (text.startsWith("±")) return "as much as";
  return `${text.slice(1)} ${now > before ? "more" : "less"} than`;
}

/** `24 November 2026`. */
export function longDay(date: IsoDate): string {
  return `${Number(date.slice(8))}\u00a0${monthName(Number(date.slice(5, 7)))}\u00a0${
    Number(date.slice(0, 4))
  }`;
}

/** `24 Nov`. */
export function shortDay(date: IsoDate): string {
  return `${Number(date.slice(8))}\u00a0${shortMonth(Number(date.slice(5, 7)))}`;
}

/** `Nov` for 11. */
export function shortMonth(month: number): string {
  return MONTHS[month - 1]!.slice(0, 3);
}

/** `November` for 11. */
export function monthName(month: number): string {
  return MONTHS[month - 1]!;
}

/** 0 (Monday) … 6 (Sunday). */
export function weekdayOf(date: IsoDate): number {
  // 1970-01-01 was a Thursday.
  return (((toDay(date) + 3) % 7) + 7) % 7;
}

/** `0.78 s`, `12.3 s`, `3 min 05 s`. */
export function duration(seconds: number): string {
  if (seconds < 59.95) return `${seconds.toFixed(seconds < 9.995 ? 2 : 1)}${THIN}s`;
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}${THIN}min ${String(whole % 60).padStart(2, "0")}${THIN}s`;
  return `${count(Math.floor(minutes / 60))}${THIN}h ${String(minutes % 60).padStart(2, "0")}${THIN}min`;
}

/** `4.2 MB`: decimal units. */
export function size(bytes: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  for (; value >= 999.5 && unit < units.length - 1; unit++) value /= 1000;
  return `${unit === 0 ? value : value.toFixed(value < 9.95 ? 1 : 0)}${THIN}${units[unit]}`;
}

/** Rows that a stage did in a second, by the larger of rows in and out; undefined when there is nothing to divide. */
export function rowsPerSecond(
  { rows_in, rows_out, seconds }: { rows_in: number | null; rows_out: number | null; seconds: number | null },
): string | undefined {
  const rows = Math.max(rows_in ?? 0, rows_out ?? 0);
  return seconds && rows > 0 ? count(Math.round(rows / seconds)) : undefined;
}
