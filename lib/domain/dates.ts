/** Calendar dates of the shop: Europe/Moscow days, as ISO text or as whole days since 1970-01-01. */

/** `YYYY-MM-DD`. */
export type IsoDate = string;

/** The time zone in which a day begins and ends. */
export const TIME_ZONE = "Europe/Moscow";

/** Days a run looks back, the as-of day included. */
export const YEAR_DAYS = 365;

/** As-of dates of runs. ClickHouse's Date, the type of import_date, reaches from 1970-01-01 to 2149-06-06. */
export const AS_OF_RANGE = { from: "1971-01-01", to: "2149-06-06" } as const;

const DAY_MS = 86_400_000;

/** Today's date in Europe/Moscow. */
export function today(now: Date = new Date()): IsoDate {
  // The Swedish locale writes dates in ISO order.
  return new Intl.DateTimeFormat("sv-SE", { timeZone: TIME_ZONE, dateStyle: "short" }).format(now);
}

/** Whether the text is `YYYY-MM-DD` and that day exists. */
export function isIsoDate(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && toIsoDate(toDay(text)) === text;
}

/** Whether the text is a date that a run can be as of, see {@linkcode AS_OF_RANGE}. */
export function isAsOfDate(text: string): boolean {
  return isIsoDate(text) && text >= AS_OF_RANGE.from && text <= AS_OF_RANGE.to;
}

/** Days since 1970-01-01; NaN when the text is no date. */
export function toDay(date: IsoDate): number {
  return Date.parse(`${date}T00:00:00Z`) / DAY_MS;
}

/** The date of a day number; empty text for NaN. */
export function toIsoDate(day: number): IsoDate {
  return Number.isNaN(day) ? "" : new Date(day * DAY_MS).toISOString().slice(0, 10);
}

/** First and last day that a run with this as-of date accepts, both included. */
export function dateRange(asOf: IsoDate): { from: IsoDate; to: IsoDate } {
  return { from: toIsoDate(toDay(asOf) - YEAR_DAYS + 1), to: asOf };
}
