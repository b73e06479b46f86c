/** Calendar dates in the time zone Europe/Moscow, as ISO text or as whole days since 1970-01-01. */

/** A date as `YYYY-MM-DD`. */
export type IsoDate = string;

/** Time zone of all calendar dates. */
export const TIME_ZONE = "Europe/Moscow";

/** Length of a run's date range in days, including the as-of date. */
export const YEAR_DAYS = 365;

/** Valid as-of dates. ClickHouse's Date, the type of import_date, ranges from 1970-01-01 to 2149-06-06. */
export const AS_OF_RANGE = { from: "1971-01-01", to: "2149-06-06" } as const;

const DAY_MS = 86_400_000;

const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Returns the current date in Europe/Moscow. */
export function today(now: Date = new Date()): IsoDate {
  // The Swedish locale formats dates as YYYY-MM-DD.
  return new Intl.DateTimeFormat("sv-SE", { timeZone: TIME_ZONE, dateStyle: "short" }).format(now);
}

/** Reports whether the day exists; years 1 … 9999. */
export function isValidDate(year: number, month: number, day: number): boolean {
  if (year < 1 || month < 1 || month > 12 || day < 1) return false;
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return day <= DAYS_IN_MONTH[month - 1]! + (leap ? 1 : 0);
}

/** Reports whether the text is an existing date as `YYYY-MM-DD`. */
export function isIsoDate(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && toIsoDate(toDay(text)) === text;
}

/** Reports whether the text is a date within {@linkcode AS_OF_RANGE}. */
export function isAsOfDate(text: string): boolean {
  return isIsoDate(text) && text >= AS_OF_RANGE.from && text <= AS_OF_RANGE.to;
}

/** Converts a date to days since 1970-01-01; NaN when the text is not a date. */
export function toDay(date: IsoDate): number {
  return Date.parse(`${date}T00:00:00Z`) / DAY_MS;
}

/** Converts days since 1970-01-01 to a date; an empty string for NaN. */
export function toIsoDate(day: number): IsoDate {
  return Number.isNaN(day) ? "" : new Date(day * DAY_MS).toISOString().slice(0, 10);
}

/** Returns the first and last date that a run with this as-of date accepts, both inclusive. */
export function dateRange(asOf: IsoDate): { from: IsoDate; to: IsoDate } {
  return { from: toIsoDate(toDay(asOf) - YEAR_DAYS + 1), to: asOf };
}
