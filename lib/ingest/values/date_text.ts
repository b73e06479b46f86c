/** Dates as exports write them, by the formats of a source file or by the data contract's forms. No I/O. */
// @ts-types="./luxon.d.ts"
import { DateTime, IANAZone } from "luxon";
import { compileFormat, type LuxonFormat, type Pattern, USUAL_PATTERNS } from "./date_format.ts";
import { isValidDate, TIME_ZONE, toIsoDate } from "../../domain/dates.ts";

/** How a column writes dates. */
export interface DateRules {
  /** Luxon's tokens, the first format that fits counts; with none, the data contract's forms and those with an offset. */
  formats: readonly string[];
  /** IANA zone of times without an offset; without it they keep their date. */
  timeZone?: string;
}

/** The time that a text says. */
export interface TimeOfDay {
  /** 0 if the text has none. */
  hour: number;
  /** 0 if the text has none. */
  minute: number;
  /** 0 if the text has none. */
  second: number;
  /** Whether the text has an hour. */
  hasTime: boolean;
  /** Minutes east of UTC, if it says them. */
  offset: number | undefined;
}

const MINUTE_MS = 60_000;
const QUARTER_MS = 900_000;
const DAY_MS = 86_400_000;

/** Years of two digits above this one are of the last century, as in Luxon. */
const LAST_SHORT_YEAR = 60;
/** Date.UTC takes years below for years of the last century. */
const FIRST_YEAR = 100;

/** Maximum number of cached dates. Formats that need Luxon are a hundred times slower than a regular expression. */
const MAX_KEPT_DATES = 50_000;
/** Texts up to this length have no time, so they repeat. */
const MAX_KEPT_LENGTH = 10;
/** For names of months. */
const LOCALES = ["en", "ru"];

/** Minutes east of UTC of `Z`, `UTC`, `+3`, `+03:00`, `-0330`; undefined above 14 hours. */
function parseOffset(text: string): number | undefined {
  if (!/\d/.test(text)) return 0;
  const digits = text.slice(1).replace(":", "");
  const [hours, minutes] = digits.length > 2 ? [digits.slice(0, -2), digits.slice(-2)] : [digits, "0"];
  const size = Number(hours) * 60 + Number(minutes);
  if (Number(minutes) > 59 || size > 14 * 60) return undefined;
  return text.startsWith("-") ? -size : size;
}

/** Offsets of a time zone, cached by quarter of an hour: some zones change theirs at half past. */
class Zone {
  readonly #zone: IANAZone;
  readonly #offsets = new Map<number, number>();

  constructor(name: string) {
    this.#zone = IANAZone.create(name);
  }

  /** Returns the offset at a moment, in milliseconds. */
  offsetMs(moment: number): number {
    const quarter = Math.floor(moment / QUARTER_MS);
    let offset = this.#offsets.get(quarter);
    if (offset === undefined) {
      offset = this.#zone.offset(quarter * QUARTER_MS) * MINUTE_MS;
      this.#offsets.set(quarter, offset);
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
  readonly #patterns: readonly (Pattern | LuxonFormat)[];
  readonly #moscow = new Zone(TIME_ZONE);
  readonly #zone: Zone | undefined;
  /** Dates of days since 1970, and of texts that only Luxon reads. */
  readonly #dates = new Map<number, string>();
  readonly #kept = new Map<string, string | undefined>();
  readonly #keptShort = new Map<string, string>();

  /** Creates a reader; its rules have passed `findFormatMistake`. */
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
    if (text.length > MAX_KEPT_LENGTH) return this.#read(text);
    const kept = this.#keptShort.get(text);
    if (kept !== undefined) return kept;
    const date = this.#read(text);
    if (date !== undefined && this.#keptShort.size < MAX_KEPT_DATES) this.#keptShort.set(text, date);
    return date;
  }

  #read(text: string): string | undefined {
    for (const pattern of this.#patterns) {
      const date = "expression" in pattern ? this.#match(pattern, text) : this.#readWithLuxon(pattern, text);
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
    return this.resolve(year, month, day, { hour, minute, second, hasTime, offset });
  }

  /** Returns the calendar date of what a text says; undefined when there is no such day or time. */
  resolve(
    year: number,
    month: number,
    day: number,
    { hour, minute, second, hasTime, offset }: TimeOfDay,
  ): string | undefined {
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

  #readWithLuxon({ format, hasZone, hasTime }: LuxonFormat, text: string): string | undefined {
    const key = `${format}\0${text}`;
    if (this.#kept.has(key)) return this.#kept.get(key);
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

/** Reports whether a text names a zone of the IANA database. */
export function isTimeZone(text: string): boolean {
  return IANAZone.isValidZone(text);
}
