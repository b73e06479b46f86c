/** Finds out how a column writes dates. No I/O. */
import { DateReader } from "../values/date_text.ts";

/** How a column writes dates. */
export interface FoundDates {
  /** Luxon's tokens; none when the dates are among those that need no format. */
  formats: string[];
  /** The same with the month and the day in the other order, when nothing tells which it is. */
  otherFormats?: string[];
  /** How they look, for people. */
  looks: string[];
  /** Values that fit. */
  fitting: number;
  /** Values. */
  values: number;
  /** What decided about the order of day and month, if it needed to be. */
  evidence?: string;
}

/** Formats with names of months, and those without marks, as they are tried. */
const OTHER_FORMATS = [
  "d MMM yyyy",
  "MMM d, yyyy",
  "d MMMM yyyy",
  "MMMM d, yyyy",
  "d-MMM-yyyy",
  "d-MMM-yy",
  "d MMMM yyyy 'г.'",
  "yyyy-M-d",
  "yyyy/M/d",
]
  .flatMap((date) =>
    [
      "",
      " H:mm",
      " H:mm:ss",
      " h:mm a",
      " h:mm:ss a",
      ", H:mm",
      ", H:mm:ss",
      ", h:mm a",
      " H:mm:ss ZZZ",
      " h:mm:ss a 'PST'",
      " h:mm:ss a 'PDT'",
    ].map(
      (time) => date + time,
    )
  )
  .concat(["yyyyMMdd", "yyyyMMddHHmmss", "yyyyMMdd HHmmss"]);

const NUMERIC =
  /^(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})(?:(,? ?[T ]| )\s*(\d{1,2}):(\d{2})(:\d{2})?(?:( ?)([AaPp]\.?[Mm]\.?))?( ?[+-]\d{2}:?\d{2})?)?$/;

/** Values that are looked at for formats with names. */
const MAX_TRIED = 200;
/** Shares of values from which a column holds dates. */
const MIN_SHARE = 0.7;

function timeTokens(found: RegExpExecArray): string {
  const [, , , , , between, hour, , seconds, blank = "", half, offset] = found;
  if (hour === undefined) return "";
  const hours = half === undefined ? "H" : "h";
  const zone = offset === undefined
    ? ""
    : (offset.startsWith(" ") ? " " : "") + (offset.includes(":") ? "ZZ" : "ZZZ");
  const gap = between!.includes("T") ? "'T'" : between!;
  return `${gap}${hours}:mm${seconds === undefined ? "" : ":ss"}${
    half === undefined ? "" : `${blank}a`
  }${zone}`;
}

/** Reads dates of digits: day, month and year in any order but the year first. */
function findNumeric(values: readonly string[]): FoundDates | undefined {
  const shapes = new Map<string, number>();
  let [firstIsDay, secondIsDay] = [0, 0];
  let evidence = "";
  let dots = 0;
  let fitting = 0;
  for (const value of values) {
    const found = NUMERIC.exec(value);
    if (!found) continue;
    fitting++;
    const [, first, mark, second, year] = found;
    if (mark === ".") dots++;
    if (Number(first) > 12 && Number(first) <= 31) {
      firstIsDay++;
      evidence ||= value;
    } else if (Number(second) > 12 && Number(second) <= 31) {
      secondIsDay++;
      evidence ||= value;
    }
    const shape = `A${mark}B${mark}${year!.length === 4 ? "yyyy" : "yy"}${timeTokens(found)}`;
    shapes.set(shape, (shapes.get(shape) ?? 0) + 1);
  }
  if (fitting < values.length * MIN_SHARE || fitting === 0) return undefined;
  const sorted = [...shapes].sort((a, b) => b[1] - a[1]).map(([shape]) => shape);
  const inOrder = (first: string, second: string) =>
    sorted.map((shape) => shape.replace("A", first).replace("B", second));
  const [dayFirst, monthFirst] = [inOrder("d", "M"), inOrder("M", "d")];
  const found = { looks: sorted, fitting, values: values.length };
  const isClear = (firstIsDay === 0) !== (secondIsDay === 0);
  if (isClear) {
    const formats = firstIsDay > 0 ? dayFirst : monthFirst;
    return {
      ...found,
      formats,
      looks: formats,
      evidence: `${evidence} has the ${firstIsDay > 0 ? "day" : "month"} first`,
    };
  }
  if (firstIsDay === 0 && dots === fitting) {
    return { ...found, formats: dayFirst, looks: dayFirst, evidence: "dates with points have the day first" };
  }
  return { ...found, formats: dayFirst, otherFormats: monthFirst, looks: [...dayFirst, ...monthFirst] };
}

function usualLook(value: string): string {
  return value.replace(/^\d{4}/, "yyyy").replace(/^yyyy([-/])\d\d\1\d\d/, "yyyy$1MM$1dd").replace(
    /^\d\d\.\d\d\.\d{4}/,
    "dd.MM.yyyy",
  )
    .replace(/\d{1,2}:\d\d:\d\d(?:[.,]\d+)?/, "HH:mm:ss").replace(/\d{1,2}:\d\d(?!:)/, "HH:mm").replace(
      /(?:[+-]\d\d:?\d\d|Z|UTC|GMT)$/,
      "offset",
    );
}

/** Finds out how texts write dates; undefined when they hold none. */
export function findDates(values: readonly string[]): FoundDates | undefined {
  if (values.length === 0) return undefined;
  const usual = new DateReader({ formats: [] });
  const fitting = values.filter((value) => usual.read(value) !== undefined);
  if (fitting.length >= values.length * MIN_SHARE) {
    const looks = [...new Set(fitting.map(usualLook))].slice(0, 4);
    return { formats: [], looks, fitting: fitting.length, values: values.length };
  }
  const numeric = findNumeric(values);
  if (numeric) return numeric;
  const tried = values.slice(0, MAX_TRIED);
  const formats: string[] = [];
  let left = tried;
  while (left.length > 0) {
    let best: { format: string; rest: string[] } | undefined;
    for (const format of OTHER_FORMATS) {
      const reader = new DateReader({ formats: [format] });
      const rest = left.filter((value) => reader.read(value) === undefined);
      if (rest.length < (best?.rest.length ?? left.length)) best = { format, rest };
    }
    if (!best) break;
    formats.push(best.format);
    left = best.rest;
  }
  if (left.length > tried.length * (1 - MIN_SHARE)) return undefined;
  const reader = new DateReader({ formats });
  return {
    formats,
    looks: formats,
    fitting: values.filter((value) => reader.read(value) !== undefined).length,
    values: values.length,
  };
}
