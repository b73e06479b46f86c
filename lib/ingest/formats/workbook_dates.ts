/** Dates in workbooks: numbers of days, which only their number format tells from other numbers. No I/O. */
import { toIsoDate } from "../../domain/dates.ts";
import { type DecimalMark, formatNumber } from "./plain_number.ts";

/** The day of serial number 0, in days since 1970-01-01: 1899-12-30, or 1904-01-01. */
const [EPOCH_1900, EPOCH_1904] = [-25_569, -24_107];
/** Excel takes 1900 for a leap year, as Lotus 1-2-3 did: serial numbers below that of its 29 February are a day less. */
const FALSE_LEAP_DAY = 60;
/** Serial number of 10000-01-01, the first day that is no date in Excel. */
const END_1900 = 2_958_466;
const DAY_SECONDS = 86_400;

/** Built-in number formats that show dates, from section 18.8.30 of ECMA-376; 27 to 36 and 50 to 58 do in East Asia. */
const BUILT_IN_DATES: readonly [from: number, to: number][] = [[14, 22], [27, 36], [45, 45], [47, 47], [
  50,
  58,
]];
/** Ids below are built in. */
const FIRST_CUSTOM_ID = 164;

/** Texts and marks without a meaning: in quotes, behind a backslash, skipped or repeated characters, colors and languages. */
const LITERALS = /"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]/gi;
const ELAPSED_TIME = /\[(?:h+|m+|s+)\]/i;
const FRACTIONS_OF_SECONDS = /s[.,]0+/gi;
const DIGITS = /[0#?]/;
const DATE_PARTS = /[ymdhs]/i;

/**
 * Reports whether a number format shows dates or times of day. Elapsed times, such as `[h]:mm`, are no dates.
 *
 * @param id id of the format
 * @param code its code, such as `dd.mm.yyyy`, when it is not built in
 */
export function isDateFormat(id: number, code: string | undefined): boolean {
  if (code === undefined || id < FIRST_CUSTOM_ID && code === "") {
    return BUILT_IN_DATES.some(([from, to]) => id >= from && id <= to);
  }
  // What follows a semicolon is for negative numbers, zero and text.
  const [positive] = code.replace(LITERALS, " ").split(";");
  if (ELAPSED_TIME.test(positive!)) return false;
  const parts = positive!.replace(/general/gi, "").replace(FRACTIONS_OF_SECONDS, "s");
  return !DIGITS.test(parts) && DATE_PARTS.test(parts);
}

function formatTime(seconds: number): string {
  const parts = [seconds / 3600, seconds / 60 % 60, seconds % 60];
  return parts.map((part) => String(Math.floor(part)).padStart(2, "0")).join(":");
}

/**
 * Formats a serial number as `yyyy-MM-dd`, with ` HH:mm:ss` when it has a time, or as `HH:mm:ss` when it has no day. Seconds are
 * rounded; a number that is no date stays a number.
 *
 * @param is1904 whether the workbook counts days from 1904
 * @param mark mark before the decimals of a number
 */
export function formatSerial(serial: number, is1904: boolean, mark: DecimalMark = "."): string {
  const end = is1904 ? END_1900 + EPOCH_1900 - EPOCH_1904 : END_1900;
  if (!(serial >= 0 && serial < end)) return formatNumber(serial, mark);
  const allSeconds = Math.round(serial * DAY_SECONDS);
  const [days, seconds] = [Math.floor(allSeconds / DAY_SECONDS), allSeconds % DAY_SECONDS];
  if (days === 0) return formatTime(seconds);
  if (days === FALSE_LEAP_DAY && !is1904) return formatNumber(serial, mark);
  const epoch = is1904 ? EPOCH_1904 : days < FALSE_LEAP_DAY ? EPOCH_1900 + 1 : EPOCH_1900;
  const date = toIsoDate(days + epoch);
  return seconds === 0 ? date : `${date} ${formatTime(seconds)}`;
}
