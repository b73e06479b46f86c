/** What the values of a column look like: numbers and dates. No I/O. */
import { DateReader } from "../values/date_text.ts";
import { normalizeNumber, type NumberStyle } from "../values/number_text.ts";
import { toDay } from "../../domain/dates.ts";

/** Formats that are tried, in Luxon's tokens; of those that fit equally the first counts. */
const DATE_FORMATS = [
  ...["yyyy-MM-dd HH:mm:ss ZZZ", "yyyy-MM-dd HH:mm:ss ZZ"],
  ...[
    "dd.MM.yyyy",
    "d.M.yyyy",
    "M/d/yyyy",
    "d/M/yyyy",
    "dd-MM-yyyy",
    "yyyy.MM.dd",
    "dd.MM.yy",
    "M/d/yy",
    "yyyyMMdd",
  ].flatMap(
    (day) => [day, `${day} H:mm`, `${day} H:mm:ss`, `${day} h:mm a`, `${day} h:mm:ss a`],
  ),
  ...["d MMM yyyy", "MMM d, yyyy", "d MMMM yyyy", "MMMM d, yyyy", "d-MMM-yyyy", "d-MMM-yy"],
];

/** How dates are written. */
export interface DateStyle {
  /** Formats, the one of most values first; empty for the usual forms. */
  formats: string[];
  /** Number of values that they fit. */
  fitting: number;
  /** Another format that fits as many values, with day and month the other way round. */
  alternative: string | undefined;
}

function countFitting(
  texts: readonly string[],
  formats: readonly string[],
): { count: number; latest: number } {
  const reader = new DateReader({ formats });
  const days = texts.flatMap((text) => {
    const date = reader.read(text);
    return date === undefined ? [] : [toDay(date)];
  });
  return { count: days.length, latest: Math.max(0, ...days) };
}

/** Swaps day and month in a format; undefined when it is not only digits. */
function swapped(format: string): string | undefined {
  if (!/^(M\/d|d\/M)\//.test(format)) return undefined;
  return format.startsWith("M") ? format.replace("M/d", "d/M") : format.replace("d/M", "M/d");
}

/** Finds out how dates are written; undefined when most values are none. @param texts values that are not empty */
export function findDateStyle(texts: readonly string[]): DateStyle | undefined {
  const usual = countFitting(texts, []).count;
  if (usual > 0 && usual === texts.length) return { formats: [], fitting: usual, alternative: undefined };
  const formats: string[] = [];
  let alternative: string | undefined;
  let left = texts;
  while (left.length > 0) {
    const found = DATE_FORMATS.map((format) => ({ format, ...countFitting(left, [format]) }));
    const most = Math.max(...found.map(({ count }) => count));
    if (most === 0 || formats.length === 3) break;
    const best = found.filter(({ count }) => count === most);
    // An export is recent: of two readings the one whose last day is later.
    const format = best.toSorted((a, b) => b.latest - a.latest)[0]!.format;
    const other = swapped(format);
    if (other !== undefined && best.some((each) => each.format === other)) alternative ??= other;
    formats.push(format);
    const reader = new DateReader({ formats: [format] });
    left = left.filter((text) => reader.read(text) === undefined);
  }
  const fitting = texts.length - left.length;
  if (usual >= fitting && usual * 2 > texts.length) {
    return { formats: [], fitting: usual, alternative: undefined };
  }
  return fitting * 2 > texts.length ? { formats, fitting, alternative } : undefined;
}

const COMMA_DECIMALS = /\d,\d{1,2}\D*$|\d,\d{4,}\D*$/;
const POINT_DECIMALS = /\d\.\d{1,2}\D*$|\d\.\d{4,}\D*$/;

/** Finds out how numbers are written; undefined when it is as in the data contract. */
export function findNumberStyle(texts: readonly string[]): NumberStyle | undefined {
  const commas = texts.filter((text) => COMMA_DECIMALS.test(text));
  const points = texts.filter((text) => POINT_DECIMALS.test(text));
  if (commas.length > points.length) {
    return { decimal: ",", thousands: texts.some((text) => /\d\.\d{3}(\D|$)/.test(text)) ? "." : "" };
  }
  return texts.some((text) => /\d,\d{3}(\D|$)/.test(text)) && points.length > 0
    ? { decimal: ".", thousands: "," }
    : undefined;
}

/** Returns a value as a number; undefined when it is none. Only for comparisons. */
export function toNumber(text: string, style: NumberStyle | undefined): number | undefined {
  const normal = text.trim() === "" ? undefined : normalizeNumber(text.trim(), style);
  return normal === undefined ? undefined : Number(normal);
}
