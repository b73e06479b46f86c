/** Sales trends: a gapless time series, months, weekdays and the last week. No I/O. */
import { type IsoDate, toDay, toIsoDate } from "../domain/dates.ts";
import { divideHalfUp } from "../domain/money.ts";
import type { RegionDay } from "./report_data.ts";
import { formatShortDate, monthName, shortMonthName, weekdayIndex, WEEKDAYS } from "./format.ts";

/** Sales of a time span, or of all days with the same weekday or month. */
export interface Period {
  /** Such as `2026-11-24`, `November 2026` or `Monday`. */
  label: string;
  /** Such as `24 Nov`, `Nov ’26` or `Mon`. */
  shortLabel: string;
  /** Calendar days in the period. */
  days: number;
  /** Number of sales. */
  sales: bigint;
  /** Sum of their amounts, in cents. */
  amountCents: bigint;
  /** Amounts in cents by region. */
  byRegion: ReadonlyMap<string, bigint>;
}

/** Sales of one calendar day. */
export interface DailySales {
  /** The day. */
  date: IsoDate;
  /** Number of sales. */
  sales: bigint;
  /** Sum of their amounts, in cents. */
  amountCents: bigint;
}

/** Sales of the seven days up to the last day with sales. */
export interface LastWeek {
  /** Its first day. */
  from: IsoDate;
  /** Its last day. */
  to: IsoDate;
  /** Number of sales. */
  sales: bigint;
  /** Sum of their amounts, in cents. */
  amountCents: bigint;
  /** Amount of the seven days before; undefined if the data does not cover them. */
  previousCents: bigint | undefined;
}

/** Result of {@linkcode computeTrends}. */
export interface Trends {
  /** First day with sales. */
  from: IsoDate;
  /** Last day with sales. */
  to: IsoDate;
  /** Calendar days from the first to the last day with sales, inclusive. */
  spanDays: number;
  /** The whole span by unit, gapless. */
  series: readonly Period[];
  /** Length of a period of `series`. */
  unit: "day" | "month" | "year";
  /** Months in chronological order, or the calendar months of all years if the span exceeds {@linkcode MAX_CHRONOLOGICAL_DAYS}. */
  months: readonly Period[];
  /** Monday first. */
  weekdays: readonly Period[];
  /** The last seven days; undefined if the data span less. */
  lastWeek: LastWeek | undefined;
  /** The day with the highest amount. */
  bestDay: DailySales;
}

/** Longest spans, in days, whose days and months are still distinguishable in a line chart. */
const MAX_DAILY_DAYS = 750;
const MAX_MONTHLY_DAYS = 7_500;
/** Longest span with months in chronological order. A year spans up to 13 months. */
const MAX_CHRONOLOGICAL_DAYS = 400;
const DAYS_PER_WEEK = 7;

interface Span {
  first: number;
  last: number;
}

interface MutablePeriod extends Period {
  byRegion: Map<string, bigint>;
}

/** A grouping of days: the key of a day's group, and the labels of a group. */
interface Grouping {
  key(date: IsoDate): string;
  labels(key: string): [label: string, shortLabel: string];
}

const DAYS: Grouping = { key: (date) => date, labels: (key) => [key, formatShortDate(key)] };
const MONTHS: Grouping = {
  key: (date) => date.slice(0, 7),
  labels(key) {
    const month = Number(key.slice(5));
    return [`${monthName(month)} ${Number(key.slice(0, 4))}`, `${shortMonthName(month)} ’${key.slice(2, 4)}`];
  },
};
const YEARS: Grouping = {
  key: (date) => date.slice(0, 4),
  labels: (key) => [String(Number(key)), String(Number(key))],
};
const CALENDAR_MONTHS: Grouping = {
  key: (date) => date.slice(5, 7),
  labels: (key) => [monthName(Number(key)), shortMonthName(Number(key))],
};
const DAYS_OF_WEEK: Grouping = {
  key: (date) => String(weekdayIndex(date)),
  labels: (key) => [WEEKDAYS[Number(key)]!, WEEKDAYS[Number(key)]!.slice(0, 3)],
};

/** Groups all days of the span, including those without sales, and sorts the groups by key. */
function groupDays(
  rows: readonly RegionDay[],
  { first, last }: Span,
  { key, labels }: Grouping,
): MutablePeriod[] {
  const groups = new Map<string, MutablePeriod>();
  for (let day = first; day <= last; day++) {
    const groupKey = key(toIsoDate(day));
    let group = groups.get(groupKey);
    if (!group) {
      const [label, shortLabel] = labels(groupKey);
      group = { label, shortLabel, days: 0, sales: 0n, amountCents: 0n, byRegion: new Map() };
      groups.set(groupKey, group);
    }
    group.days++;
  }
  for (const { date, region, sales, amountCents } of rows) {
    const group = groups.get(key(date))!;
    group.sales += sales;
    group.amountCents += amountCents;
    group.byRegion.set(region, (group.byRegion.get(region) ?? 0n) + amountCents);
  }
  return [...groups].sort(([a], [b]) => a < b ? -1 : 1).map(([, group]) => group);
}

function summarizeLastWeek(rows: readonly RegionDay[], { first, last }: Span): LastWeek | undefined {
  if (last - first + 1 < DAYS_PER_WEEK) return undefined;
  const start = last - DAYS_PER_WEEK + 1;
  const sum = (from: number, to: number) => {
    const inside = rows.filter(({ date }) => date >= toIsoDate(from) && date <= toIsoDate(to));
    return {
      sales: inside.reduce((total, { sales }) => total + sales, 0n),
      amountCents: inside.reduce((total, { amountCents }) => total + amountCents, 0n),
    };
  };
  return {
    from: toIsoDate(start),
    to: toIsoDate(last),
    ...sum(start, last),
    previousCents: start - DAYS_PER_WEEK >= first
      ? sum(start - DAYS_PER_WEEK, start - 1).amountCents
      : undefined,
  };
}

function findBestDay(rows: readonly RegionDay[]): DailySales {
  const days = new Map<IsoDate, DailySales>();
  for (const { date, sales, amountCents } of rows) {
    const day = days.get(date) ?? { date, sales: 0n, amountCents: 0n };
    days.set(date, { date, sales: day.sales + sales, amountCents: day.amountCents + amountCents });
  }
  return [...days.values()].reduce((a, b) => b.amountCents > a.amountCents ? b : a);
}

/** Returns the average amount per day in cents, rounded half up. */
export function dailyAverage(period: Pick<Period, "amountCents" | "days">): bigint {
  return divideHalfUp(period.amountCents, BigInt(period.days));
}

/** Returns the first period with the highest daily average. Ignores periods shorter than `minDays`, unless all are. */
export function bestPeriod(periods: readonly Period[], minDays = 1): Period {
  const longEnough = periods.filter(({ days }) => days >= minDays);
  return (longEnough.length > 0 ? longEnough : periods).reduce((a, b) =>
    dailyAverage(b) > dailyAverage(a) ? b : a
  );
}

/**
 * Computes the trends of daily sales.
 *
 * @param rows sales by day and region in chronological order, not empty
 */
export function computeTrends(rows: readonly RegionDay[]): Trends {
  const [from, to] = [rows[0]!.date, rows.at(-1)!.date];
  const span: Span = { first: toDay(from), last: toDay(to) };
  const days = span.last - span.first + 1;
  const unit = days <= MAX_DAILY_DAYS ? "day" : days <= MAX_MONTHLY_DAYS ? "month" : "year";
  return {
    from,
    to,
    spanDays: days,
    series: groupDays(rows, span, { day: DAYS, month: MONTHS, year: YEARS }[unit]),
    unit,
    months: groupDays(rows, span, days <= MAX_CHRONOLOGICAL_DAYS ? MONTHS : CALENDAR_MONTHS),
    weekdays: groupDays(rows, span, DAYS_OF_WEEK),
    lastWeek: summarizeLastWeek(rows, span),
    bestDay: findBestDay(rows),
  };
}

/** Returns the seven-day moving average of each day in cents; undefined for the first six days. */
export function movingAverages(days: readonly Period[]): (bigint | undefined)[] {
  let sum = 0n;
  return days.map(({ amountCents }, index) => {
    sum += amountCents;
    if (index >= DAYS_PER_WEEK) sum -= days[index - DAYS_PER_WEEK]!.amountCents;
    return index >= DAYS_PER_WEEK - 1 ? divideHalfUp(sum, BigInt(DAYS_PER_WEEK)) : undefined;
  });
}
