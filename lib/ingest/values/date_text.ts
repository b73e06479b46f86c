/** Dates as exports write them, by the formats of a source file or by the data contract's forms. No I/O. */
// @ts-types="./luxon.d.ts"
import { DateTime, IANAZone } from "luxon";
import { isValidDate, toIsoDate } from "../../domain/dates.ts";

/** How a column writes dates. */
export interface DateRules {
  /** Luxon's tokens, the first format that fits counts; with none, the data contract's forms and those with an offset. */
  formats: readonly string[];
  /** IANA zone of times without an offset; without it they keep their date. */
  timeZone?: string;
}

const MOSCOW = "Europe/Moscow";
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** Years of two digits above this one are of the last century, as in Luxon. */
const LAST_SHORT_YEAR = 60;
/** Date.UTC takes years below for years of the last century. */
const FIRST_YEAR = 100;

/** Maximum number of cached dates. Formats that need Luxon are a hundred times slower than a regular expression. */
const MAX_KEPT_DATES = 50_000;
/** For names of months. */
const LOCALES = ["en", "ru"];

const TWO_DIGITS = "(\\d{2})";
const ONE_OR_TWO_DIGITS = "(\\d{1,2})";

type Field =
  | "year"
  | "shortYear"
  | "month"
  | "day"
  | "hour"
  | "halfHour"
  | "minute"
  | "second"
  | "half"
  | "offset"
  | "skipped";

/** Luxon's numeric tokens: what they stand for, and their pattern. */
const TOKENS: Readonly<Record<string, readonly [field: Field, pattern: string]>> = {
  yyyy: ["year", "(\\d{4})"],
  yy: ["shortYear", TWO_DIGITS],
  M: ["month", ONE_OR_TWO_DIGITS],
  MM: ["month", TWO_DIGITS],
  L: ["month", ONE_OR_TWO_DIGITS],
  LL: ["month", TWO_DIGITS],
  d: ["day", ONE_OR_TWO_DIGITS],
  dd: ["day", TWO_DIGITS],
  H: ["hour", ONE_OR_TWO_DIGITS],
  HH: ["hour", TWO_DIGITS],
  h: ["halfHour", ONE_OR_TWO_DIGITS],
  hh: ["halfHour", TWO_DIGITS],
  m: ["minute", ONE_OR_TWO_DIGITS],
  mm: ["minute", TWO_DIGITS],
  s: ["second", ONE_OR_TWO_DIGITS],
  ss: ["second", TWO_DIGITS],
  S: ["skipped", "(\\d{1,3})"],
  SSS: ["skipped", "(\\d{3})"],
  u: ["skipped", "(\\d{1,9})"],
  a: ["half", "([AaPp]\\.?[Mm]\\.?)"],
  Z: ["offset", "([+-]\\d{1,2}(?::\\d{2})?)"],
  ZZ: ["offset", "([+-]\\d{1,2}(?::\\d{2})?)"],
  ZZZ: ["offset", "([+-]\\d{1,2}(?:\\d{2})?)"],
};

/** A format as a regular expression. */
interface Pattern {
  expression: RegExp;
  /** What its groups stand for. */
  fields: readonly Field[];
}

interface FormatPart {
  text: string;
  isLiteral: boolean;
}

/** Splits a format into runs of one letter, and literals: text in single quotes and everything that is no letter. */
function splitFormat(format: string): FormatPart[] {
  return [...format.matchAll(/'([^']*)'|([A-Za-z])\2*|[^A-Za-z']+/g)].map(([whole, quoted, letter]) => ({
    text: quoted ?? whole,
    isLiteral: letter === undefined,
  }));
}

function escapeLiteral(text: string): string {
  return RegExp.escape(text).replace(/(?:\\x20|\\u00a0|\s)+/g, "\\s+");
}

function compileFormat(format: string): Pattern | undefined {
  const fields: Field[] = [];
  let source = "";
  for (const { text, isLiteral } of splitFormat(format)) {
    if (isLiteral) source += escapeLiteral(text);
    else {
      const token = TOKENS[text];
      if (!token) return undefined;
      fields.push(token[0]);
      source += token[1];
    }
  }
  return { expression: new RegExp(`^${source}$`), fields };
}

const TIME =
  "(?:[T ]\\s*(\\d{1,2}):(\\d{2})(?::(\\d{2})(?:[.,]\\d{1,9})?)?(?:\\s*(Z|UTC|GMT|[+-]\\d{2}(?::?\\d{2})?))?)?";
const TIME_FIELDS = ["hour", "minute", "second", "offset"] as const;

/** The data contract's forms, with and without an offset, fractions of a second, and seconds. */
const USUAL_PATTERNS: readonly Pattern[] = [
  {
    expression: new RegExp(`^(\\d{4})-(\\d{2})-(\\d{2})${TIME}$`),
    fields: ["year", "month", "day", ...TIME_FIELDS],
  },
  {
    expression: new RegExp(`^(\\d{2})\\.(\\d{2})\\.(\\d{4})${TIME}$`),
    fields: ["day", "month", "year", ...TIME_FIELDS],
  },
  {
    expression: new RegExp(`^(\\d{4})/(\\d{2})/(\\d{2})${TIME}$`),
    fields: ["year", "month", "day", ...TIME_FIELDS],
  },
];

/** Minutes east of UTC of `Z`, `UTC`, `+3`, `+03:00`, `-0330`; undefined above 14 hours. */
function parseOffset(text: string): number | undefined {
  if (!/\d/.test(text)) return 0;
  const digits = text.slice(1).replace(":", "");
  const [hours, minutes] = digits.length > 2 ? [digits.slice(0, -2), digits.slice(-2)] : [digits, "0"];
  const size = Number(hours) * 60 + Number(minutes);
  if (Number(minutes) > 59 || size > 14 * 60) return undefined;
  return text.startsWith("-") ? -size : size;
}

/** Offsets of a time zone, cached by hour. */
class Zone {
  readonly #zone: IANAZone;
  readonly #offsets = new Map<number, number>();

  constructor(name: string) {
    this.#zone = IANAZone.create(name);
  }

  /** Returns the offset at a moment, in milliseconds. */
  offsetMs(moment: number): number {
    const hour = Math.floor(moment / HOUR_MS);
    let offset = this.#offsets.get(hour);
    if (offset === undefined) {
      offset = this.#zone.offset(hour * HOUR_MS) * MINUTE_MS;
      this.#offsets.set(hour, offset);
    }
    return offset;
  }

  /** Returns the moment of a local time; of two with the same local time the earlier one, as Luxon. */
  toMoment(local: number): number {
    const first = local - this.offsetMs(local);
    const second = local - this.offsetMs(first);
    if (second === first) return first;
    return local - Math.min(this.offsetMs(second), this.offsetMs(first));
  }
}

/** Reads the dates of one column. */
export class DateReader {
  readonly #patterns: readonly (Pattern | undefined)[];
  readonly #moscow = new Zone(MOSCOW);
  readonly #zone: Zone | undefined;
  /** Dates of days since 1970, and of texts that only Luxon reads. */
  readonly #dates = new Map<number, string>();
  readonly #kept = new Map<string, string | undefined>();

  /** Creates a reader; its rules have passed {@linkcode findDateMistake}. */
  constructor(readonly rules: DateRules) {
    this.#patterns = rules.formats.length > 0 ? rules.formats.map(compileFormat) : USUAL_PATTERNS;
    this.#zone = rules.timeZone === undefined ? undefined : new Zone(rules.timeZone);
  }

  /**
   * Returns the calendar date of a text, as `YYYY-MM-DD`; undefined when no format fits or there is no such day.
   *
   * A time with an offset or a zone counts in Europe/Moscow; one without keeps its date, unless the rules have a zone.
   *
   * @param text without surrounding blanks
   */
  read(text: string): string | undefined {
    for (let index = 0; index < this.#patterns.length; index++) {
      const pattern = this.#patterns[index];
      const date = pattern ? this.#match(pattern, text) : this.#readWithLuxon(index, text);
      if (date !== undefined) return date;
    }
    return undefined;
  }

  #match({ expression, fields }: Pattern, text: string): string | undefined {
    const found = expression.exec(text);
    if (!found) return undefined;
    let [year, month, day, hour, minute, second] = [0, 0, 0, 0, 0, 0];
    let hasTime = false;
    let isAfternoon: boolean | undefined;
    let offset: number | undefined;
    for (let index = 0; index < fields.length; index++) {
      const value = found[index + 1];
      if (value === undefined) continue;
      switch (fields[index]) {
        case "year":
          year = +value;
          break;
        case "shortYear":
          year = +value + (+value > LAST_SHORT_YEAR ? 1900 : 2000);
          break;
        case "month":
          month = +value;
          break;
        case "day":
          day = +value;
          break;
        case "hour":
          hour = +value;
          hasTime = true;
          break;
        case "halfHour":
          if (+value < 1 || +value > 12) return undefined;
          hour = +value % 12;
          hasTime = true;
          break;
        case "minute":
          minute = +value;
          break;
        case "second":
          second = +value;
          break;
        case "half":
          isAfternoon = value.toLowerCase().startsWith("p");
          break;
        case "offset":
          offset = parseOffset(value);
          if (offset === undefined) return undefined;
          break;
      }
    }
    if (isAfternoon && hour < 12) hour += 12;
    if (!isValidDate(year, month, day) || hour > 23 || minute > 59 || second > 59) return undefined;
    const keepsDate = offset === undefined && !(hasTime && this.#zone);
    if (keepsDate || year < FIRST_YEAR) {
      return `${String(year).padStart(4, "0")}-${month < 10 ? "0" : ""}${month}-${day < 10 ? "0" : ""}${day}`;
    }
    const local = Date.UTC(year, month - 1, day, hour, minute, second);
    return this.#inMoscow(offset === undefined ? this.#zone!.toMoment(local) : local - offset * MINUTE_MS);
  }

  #inMoscow(moment: number): string {
    const day = Math.floor((moment + this.#moscow.offsetMs(moment)) / DAY_MS);
    let date = this.#dates.get(day);
    if (date === undefined) {
      date = toIsoDate(day);
      this.#dates.set(day, date);
    }
    return date;
  }

  #readWithLuxon(index: number, text: string): string | undefined {
    const key = `${index} ${text}`;
    if (this.#kept.has(key)) return this.#kept.get(key);
    const format = this.rules.formats[index]!;
    const parts = splitFormat(format);
    const hasZone = parts.some(({ text, isLiteral }) => !isLiteral && /^[zZ]+$/.test(text));
    const hasTime = parts.some(({ text, isLiteral }) => !isLiteral && /^[Hh]+$/.test(text));
    let date: string | undefined;
    for (const locale of LOCALES) {
      const moment = DateTime.fromFormat(text, format, { zone: this.rules.timeZone ?? "utc", locale });
      if (!moment.isValid) continue;
      const inMoscow = hasZone || (hasTime && this.#zone);
      date = inMoscow ? this.#inMoscow(moment.toMillis()) : moment.toISODate()!;
      break;
    }
    if (this.#kept.size >= MAX_KEPT_DATES) this.#kept.clear();
    this.#kept.set(key, date);
    return date;
  }
}

/** Tokens that Luxon can read besides {@linkcode TOKENS}. */
const OTHER_TOKENS = "G yyyyy yyyyyy MMM MMMM LLL LLLL o ooo kk kkkk W WW E EEE EEEE c ccc cccc uu uuu z"
  .split(" ");

/**
 * Returns what is wrong with a format; undefined when nothing is.
 *
 * A format must have year, month and day: Luxon would take those of today for what is missing.
 */
export function findFormatMistake(format: string): string | undefined {
  if ((format.match(/'/g)?.length ?? 0) % 2 === 1) return "a quote ' is not closed";
  const tokens = splitFormat(format).filter(({ isLiteral }) => !isLiteral).map(({ text }) => text);
  const unknown = tokens.find((token) => !(token in TOKENS) && !OTHER_TOKENS.includes(token));
  if (unknown !== undefined) {
    return `${unknown} is none of Luxon's tokens; put text into quotes: '${unknown}'`;
  }
  const has = (letters: string) => tokens.some((token) => letters.includes(token[0]!));
  const parts: [letters: string, name: string][] = [["y", "a year (yyyy)"], ["MLo", "a month (MM)"], [
    "do",
    "a day (dd)",
  ]];
  const missing = parts.filter(([letters]) => !has(letters)).map(([, name]) => name);
  return missing.length > 0 ? `it lacks ${missing.join(" and ")}` : undefined;
}

/** Reports whether a text names a zone of the IANA database. */
export function isTimeZone(text: string): boolean {
  return IANAZone.isValidZone(text);
}
