/**
 * The shop's days: how many sales each has, and which. A day's sales depend on the seed and the number of sales a year only,
 * not on the as-of date, so that two years that overlap share them. No I/O.
 */
import { type IsoDate, toDay, toIsoDate, YEAR_DAYS } from "../domain/dates.ts";
import { type Random, Stream } from "./random.ts";

/** Seasonal demand curve of a product. */
export type SeasonName = "steady" | "gifts" | "school" | "summer" | "winter" | "spring";

/** Demand in the middle of each month, January first; each curve averages 1. The curves are assumptions of this project. */
export const SEASONS: Record<SeasonName, readonly number[]> = {
  steady: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1],
  gifts: [0.7, 0.9, 0.9, 0.8, 0.8, 0.8, 0.8, 0.9, 0.9, 1, 1.5, 2],
  school: [0.8, 0.9, 0.9, 0.9, 0.9, 0.8, 1, 2, 1.4, 0.9, 0.8, 0.7],
  summer: [0.4, 0.5, 0.8, 1.3, 1.8, 1.8, 1.6, 1.3, 0.9, 0.6, 0.5, 0.5],
  winter: [1.4, 1.1, 0.9, 0.8, 0.7, 0.6, 0.6, 0.7, 1, 1.4, 1.5, 1.3],
  spring: [0.8, 1.2, 1.6, 1.4, 1.1, 0.9, 0.8, 0.8, 1, 0.9, 0.8, 0.7],
};

/**
 * Relative sales of the whole shop in the middle of each month, January first: low in January and summer, high at the end of the
 * year. Days between two middles are interpolated.
 */
export const MONTH_WEIGHTS: readonly number[] = [
  0.86,
  0.9,
  0.97,
  0.96,
  0.93,
  0.9,
  0.88,
  0.95,
  1,
  1.06,
  1.2,
  1.32,
];

/** Relative sales of the whole shop by weekday, Sunday first: highest on Mondays, lowest on Saturdays. */
export const WEEKDAY_WEIGHTS: readonly number[] = [0.93, 1.13, 1.08, 1.04, 1.02, 0.98, 0.82];

/**
 * Relative sales on days that a shop in Russia knows, by month and day: presents are bought before New Year, 23 February
 * and 8 March and not on the day, the first days of January are empty, 11 November is a day of sales.
 */
export const DAY_FACTORS: Readonly<Record<string, number>> = {
  "01-01": 0.15,
  "01-02": 0.3,
  "01-03": 0.4,
  "01-04": 0.55,
  "01-05": 0.65,
  "01-06": 0.65,
  "01-07": 0.55,
  "01-08": 0.8,
  "02-19": 1.15,
  "02-20": 1.3,
  "02-21": 1.4,
  "02-22": 1.3,
  "02-23": 0.75,
  "03-03": 1.15,
  "03-04": 1.25,
  "03-05": 1.4,
  "03-06": 1.55,
  "03-07": 1.4,
  "03-08": 0.7,
  "05-01": 0.75,
  "05-09": 0.7,
  "11-10": 1.25,
  "11-11": 2.4,
  "11-12": 1.3,
  "12-18": 1.15,
  "12-19": 1.2,
  "12-20": 1.25,
  "12-21": 1.3,
  "12-22": 1.35,
  "12-23": 1.4,
  "12-24": 1.45,
  "12-25": 1.45,
  "12-26": 1.4,
  "12-27": 1.3,
  "12-28": 1.15,
  "12-29": 0.95,
  "12-30": 0.7,
  "12-31": 0.35,
};

/** Relative sales from the day before Black Friday, the day after the fourth Thursday of November, to the Monday after. */
export const BLACK_FRIDAY_FACTORS: readonly number[] = [1.3, 2.6, 1.7, 1.5, 1.4];

/** Maximum relative deviation of a day from its expected sales. */
const DAY_NOISE = 0.08;
/** Before the first day of any year of sales, so that all keys are positive. */
const FIRST_YEAR = 1968;
/** The oldest days absorb what the others have more or less than a year. */
const ADJUSTED_DAYS = 7;

/** Place of a day between the middles of two months. */
export interface MonthMix {
  /** Month whose middle is before the day, 0 … 11. */
  month: number;
  /** Share of the month after it, 0 … 1. */
  nextShare: number;
}

/** Returns the place of a day, given as days since 1970-01-01, between the middles of two months. */
export function monthMix(day: number): MonthMix {
  const date = new Date(toIsoDate(day));
  const month = date.getUTCMonth();
  const length = new Date(Date.UTC(date.getUTCFullYear(), month + 1, 0)).getUTCDate();
  const place = month + (date.getUTCDate() - 0.5) / length - 0.5;
  const before = Math.floor(place);
  return { month: (before + 12) % 12, nextShare: place - before };
}

/** Returns a curve of months on a day. */
export function interpolate(curve: readonly number[], { month, nextShare }: MonthMix): number {
  return curve[month]! * (1 - nextShare) + curve[(month + 1) % 12]! * nextShare;
}

/** Returns the day of Black Friday in a year, as days since 1970-01-01. */
function blackFriday(year: number): number {
  const first = toDay(`${year}-11-01`);
  const firstThursday = (4 - new Date(toIsoDate(first)).getUTCDay() + 7) % 7;
  return first + firstThursday + 21 + 1;
}

/** Returns the relative sales of a day without noise. */
export function dayWeight(day: number): number {
  const date = toIsoDate(day);
  const sinceThursday = day - blackFriday(Number(date.slice(0, 4))) + 1;
  return interpolate(MONTH_WEIGHTS, monthMix(day)) * WEEKDAY_WEIGHTS[new Date(date).getUTCDay()]! *
    (DAY_FACTORS[date.slice(5)] ?? 1) * (BLACK_FRIDAY_FACTORS[sinceThursday] ?? 1);
}

/** The sales of each day of one calendar year. */
interface CalendarYear {
  firstDay: number;
  /** Key of the first sale of each day, and of the day after the last. */
  keys: Float64Array;
}

/** Distributes a calendar year's sales, rows × its days / 365, over its days. Every part of the calculation is independent of as-of. */
function distributeYear(year: number, rows: number, random: Random): CalendarYear {
  const firstDay = toDay(`${year}-01-01`);
  const days = toDay(`${year + 1}-01-01`) - firstDay;
  const origin = toDay(`${FIRST_YEAR}-01-01`);
  const firstKey = Math.floor(rows * (firstDay - origin) / YEAR_DAYS);
  const sales = Math.floor(rows * (firstDay + days - origin) / YEAR_DAYS) - firstKey;
  const weights = Array.from({ length: days }, (_, index) =>
    dayWeight(firstDay + index) *
    (1 + DAY_NOISE * (2 * random.unit(Stream.DayNoise, firstDay + index) - 1)));
  const total = weights.reduce((sum, weight) => sum + weight);
  const keys = new Float64Array(days + 1);
  let sum = 0;
  weights.forEach((weight, index) => {
    keys[index] = firstKey + Math.floor(sales * Math.min(1, sum / total));
    sum += weight;
  });
  keys[days] = firstKey + sales;
  return { firstDay, keys };
}

/** The days of the year that ends with as-of, and the sales of each. */
export class Calendar {
  /** Day number (since 1970-01-01) of the first day. */
  readonly firstDay: number;
  /** Date of each day. */
  readonly dates: readonly IsoDate[];
  /** Month of each day, 0 … 11. */
  readonly months: Uint8Array;
  /** Place of each day between the middles of two months. */
  readonly mixes: readonly MonthMix[];
  /** Cumulative sales before each day; one entry more than days, the last is `rows`. */
  readonly #salesBefore: Float64Array;
  /** Day of the latest answer of {@linkcode dayOf}. */
  #lastDay = 0;
  /** Key of the first sale of each day. */
  readonly #firstKeys: Float64Array;
  /** Sales of each day that have keys of their own. */
  readonly #ownSales: Float64Array;
  /** Sales of earlier days that have no keys of their own. */
  readonly #extraBefore: Float64Array;

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
    this.mixes = this.dates.map((_, day) => monthMix(this.firstDay + day));
    const years = new Map<string, CalendarYear>();
    this.#firstKeys = new Float64Array(YEAR_DAYS);
    const sales = new Float64Array(YEAR_DAYS);
    this.dates.forEach((date, day) => {
      const year = date.slice(0, 4);
      if (!years.has(year)) years.set(year, distributeYear(Number(year), rows, random));
      const { firstDay, keys } = years.get(year)!;
      const index = this.firstDay + day - firstDay;
      this.#firstKeys[day] = keys[index]!;
      sales[day] = keys[index + 1]! - keys[index]!;
    });
    this.#ownSales = sales.slice();
    adjustOldest(sales, rows);
    this.#salesBefore = new Float64Array(YEAR_DAYS + 1);
    this.#extraBefore = new Float64Array(YEAR_DAYS);
    let [before, extra] = [0, 0];
    sales.forEach((count, day) => {
      this.#extraBefore[day] = extra;
      extra += Math.max(0, count - this.#ownSales[day]!);
      before += count;
      this.#salesBefore[day + 1] = before;
    });
  }

  /** Returns the day (0 … 364) of a sale by binary search; sales are numbered in chronological order. */
  dayOf(index: number): number {
    // Sales are mostly asked for in order.
    const last = this.#lastDay;
    if (index >= this.#salesBefore[last]! && index < this.#salesBefore[last + 1]!) return last;
    let low = 0;
    let high = YEAR_DAYS - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (index < this.#salesBefore[middle + 1]!) high = middle;
      else low = middle + 1;
    }
    this.#lastDay = low;
    return low;
  }

  /**
   * Returns the key of a sale: its number among all sales of the shop, which is the same in every year that holds it. Sales that the
   * oldest days have beyond their own get the keys of days before the year.
   */
  keyOf(index: number, day: number): number {
    const place = index - this.#salesBefore[day]!;
    const extra = place - this.#ownSales[day]!;
    return extra < 0
      ? this.#firstKeys[day]! + place
      : this.#firstKeys[0]! - 1 - this.#extraBefore[day]! - extra;
  }
}

/** Changes the sales of the oldest days so that all add up to `rows`. */
function adjustOldest(sales: Float64Array, rows: number): void {
  let left = rows;
  for (let day = YEAR_DAYS - 1; day >= ADJUSTED_DAYS; day--) {
    sales[day] = Math.min(sales[day]!, left);
    left -= sales[day]!;
  }
  const weights = Array.from(sales.subarray(0, ADJUSTED_DAYS), (count) => count + 1);
  const total = weights.reduce((sum, weight) => sum + weight);
  let [sum, given] = [0, 0];
  weights.forEach((weight, day) => {
    sum += weight;
    const upTo = day === ADJUSTED_DAYS - 1 ? left : Math.floor(left * sum / total);
    sales[day] = upTo - given;
    given = upTo;
  });
}
