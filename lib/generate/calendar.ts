/** Distribution of sales over the year: each day's share follows from its month, its weekday and noise. */
import { type IsoDate, toDay, toIsoDate, YEAR_DAYS } from "../domain/dates.ts";
import { type Random, Stream } from "./random.ts";

/** Seasonal demand curve of a product. */
export type SeasonName = "steady" | "gifts" | "school" | "summer" | "winter" | "spring";

/** Demand by month, January first; each curve averages 1. The curves are assumptions of this project. */
export const SEASONS: Record<SeasonName, readonly number[]> = {
  steady: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1],
  gifts: [0.7, 0.9, 0.9, 0.8, 0.8, 0.8, 0.8, 0.9, 0.9, 1, 1.5, 2],
  school: [0.8, 0.9, 0.9, 0.9, 0.9, 0.8, 1, 2, 1.4, 0.9, 0.8, 0.7],
  summer: [0.4, 0.5, 0.8, 1.3, 1.8, 1.8, 1.6, 1.3, 0.9, 0.6, 0.5, 0.5],
  winter: [1.4, 1.1, 0.9, 0.8, 0.7, 0.6, 0.6, 0.7, 1, 1.4, 1.5, 1.3],
  spring: [0.8, 1.2, 1.6, 1.4, 1.1, 0.9, 0.8, 0.8, 1, 0.9, 0.8, 0.7],
};

/** Relative sales of the whole shop by month, January first: low in January and summer, high at the end of the year. */
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

/** Relative sales of the whole shop by weekday, Sunday first: highest on Mondays, lowest on Saturdays. */
export const WEEKDAY_WEIGHTS: readonly number[] = [0.93, 1.13, 1.08, 1.04, 1.02, 0.98, 0.82];

/** Maximum relative deviation of a day from its expected sales. */
const DAY_NOISE = 0.08;

/** The days of one year, ending with as-of, and the number of sales before each. */
export class Calendar {
  /** Day number (since 1970-01-01) of the first day. */
  readonly firstDay: number;
  /** Date of each day. */
  readonly dates: readonly IsoDate[];
  /** Month of each day, 0 … 11. */
  readonly months: Uint8Array;
  /** Cumulative sales before each day; one entry more than days, the last is `rows`. */
  readonly #salesBefore: Float64Array;

  /**
   * Distributes the sales over the days.
   *
   * @param asOf last day of the year
   * @param rows number of sales
   * @param random source of the daily noise
   */
  constructor(asOf: IsoDate, rows: number, random: Random) {
    this.firstDay = toDay(asOf) - YEAR_DAYS + 1;
    this.dates = Array.from({ length: YEAR_DAYS }, (_, day) => toIsoDate(this.firstDay + day));
    this.months = Uint8Array.from(this.dates, (date) => Number(date.slice(5, 7)) - 1);
    const weights = this.dates.map((date, day) => {
      const noise = 1 + DAY_NOISE * (2 * random.unit(Stream.DayNoise, day) - 1);
      return MONTH_WEIGHTS[this.months[day]!]! * WEEKDAY_WEIGHTS[new Date(date).getUTCDay()]! * noise;
    });
    const total = weights.reduce((sum, weight) => sum + weight);
    this.#salesBefore = new Float64Array(YEAR_DAYS + 1);
    let sum = 0;
    weights.forEach((weight, day) => {
      sum += weight;
      this.#salesBefore[day + 1] = Math.floor(rows * sum / total);
    });
    this.#salesBefore[YEAR_DAYS] = rows;
  }

  /** Returns the day (0 … 364) of a sale by binary search; sales are numbered in chronological order. */
  dayOf(index: number): number {
    let low = 0;
    let high = YEAR_DAYS - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (index < this.#salesBefore[middle + 1]!) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
