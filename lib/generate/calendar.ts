/** When people buy: weekdays, seasons and noise give each day of the year its share of the sales. */
import { type IsoDate, toDay, toIsoDate, YEAR_DAYS } from "../domain/dates.ts";
import { type Random, Stream } from "./random.ts";

/** Kinds of season that a product can have. */
export type SeasonName = "steady" | "gifts" | "school" | "summer" | "winter" | "spring";

/** Demand by month, January first; each row averages 1. The curves are this project's assumption. */
export const SEASONS: Record<SeasonName, readonly number[]> = {
  steady: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1],
  gifts: [0.7, 0.9, 0.9, 0.8, 0.8, 0.8, 0.8, 0.9, 0.9, 1, 1.5, 2],
  school: [0.8, 0.9, 0.9, 0.9, 0.9, 0.8, 1, 2, 1.4, 0.9, 0.8, 0.7],
  summer: [0.4, 0.5, 0.8, 1.3, 1.8, 1.8, 1.6, 1.3, 0.9, 0.6, 0.5, 0.5],
  winter: [1.4, 1.1, 0.9, 0.8, 0.7, 0.6, 0.6, 0.7, 1, 1.4, 1.5, 1.3],
  spring: [0.8, 1.2, 1.6, 1.4, 1.1, 0.9, 0.8, 0.8, 1, 0.9, 0.8, 0.7],
};

/** Sales of the whole shop by month, January first: a slow January and summer, a strong end of the year. */
export const MONTH_WEIGHTS: readonly number[] = [
  0.82,
  0.88,
  0.98,
  0.95,
  0.94,
  0.9,
  0.87,
  0.95,
  1,
  1.06,
  1.25,
  1.4,
];

/** Sales of the whole shop by weekday, Sunday first: people order from their desks on Mondays and rest on Saturdays. */
export const WEEKDAY_WEIGHTS: readonly number[] = [0.93, 1.13, 1.08, 1.04, 1.02, 0.98, 0.82];

/** A day differs from its expectation by at most this share. */
const DAY_NOISE = 0.08;

/** One year of days, as-of last, and how many sales come before each. */
export class Calendar {
  /** Day number (since 1970-01-01) of the first day. */
  readonly firstDay: number;
  /** ISO date of each day. */
  readonly dates: readonly IsoDate[];
  /** Month of each day, 0 … 11. */
  readonly months: Uint8Array;
  /** Sales before each day; one entry more than days, the last is `rows`. */
  readonly #before: Float64Array;

  constructor(asOf: IsoDate, rows: number, random: Random) {
    this.firstDay = toDay(asOf) - YEAR_DAYS + 1;
    this.dates = Array.from({ length: YEAR_DAYS }, (_, day) => toIsoDate(this.firstDay + day));
    this.months = Uint8Array.from(this.dates, (date) => Number(date.slice(5, 7)) - 1);
    const weights = this.dates.map((date, day) => {
      const noise = 1 + DAY_NOISE * (2 * random.unit(Stream.DayNoise, day) - 1);
      return MONTH_WEIGHTS[this.months[day]!]! * WEEKDAY_WEIGHTS[new Date(date).getUTCDay()]! * noise;
    });
    const total = weights.reduce((sum, weight) => sum + weight);
    this.#before = new Float64Array(YEAR_DAYS + 1);
    let sum = 0;
    weights.forEach((weight, day) => {
      sum += weight;
      this.#before[day + 1] = Math.floor(rows * sum / total);
    });
    this.#before[YEAR_DAYS] = rows;
  }

  /** The day (0 … 364) of a sale, sales being numbered in the order of time. */
  dayOf(index: number): number {
    let low = 0;
    let high = YEAR_DAYS - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (index < this.#before[middle + 1]!) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
