/** Sales over time: days without gaps, months, weekdays, the last week. No I/O. */
import { type IsoDate, toDay, toIsoDate } from "../domain/dates.ts";
import { divideHalfUp } from "../domain/money.ts";
import type { RegionDay } from "./figures.ts";
import { monthName, shortDay, shortMonth, weekdayOf, WEEKDAYS } from "./format.ts";

/** Sales of a stretch of time, or of the days that share a weekday or a month. */
export interface Period {
  /** `24 Nov`, `November 2026`, `Monday` … */
  label: string;
  short: string;
  /** Days that it covers. */
  days: number;
  sales: bigint;
  amountCents: bigint;
  /** Cents by region. */
  byRegion: ReadonlyMap<string, bigint>;
}

/** One calendar day. */
export interface Day {
  date: IsoDate;
  sales: bigint;
  amountCents: bigint;
}

/** A week that ends on the last day with sales, and the week before it. */
export interface LastWeek {
  from: IsoDate;
  to: IsoDate;
  sales: bigint;
  amountCents: bigint;
  /** Undefined when the data does not reach back so far. */
  beforeCents: bigint | undefined;
}

/** What {@linkcode seasons} finds. */
export interface Seasons {
  from: IsoDate;
  to: IsoDate;
  /** Calendar days from the first sale to the last, both included. */
  span: number;
  /** The whole span, unit by unit. */
  line: readonly Period[];
  unit: "day" | "month" | "year";
  /** Months in order of time; over more than {@linkcode SEASON_DAYS} days the twelve months of the calendar. */
  months: readonly Period[];
  /** Monday first. */
  weekdays: readonly Period[];
  lastWeek: LastWeek | undefined;
  bestDay: Day;
}

/** Up to here a line of days can be told apart on a screen, and up to there one of months. */
const DAILY_LINE_DAYS = 750;
const MONTHLY_LINE_DAYS = 7_500;
/** Up to here months are shown in order of time: a year touches thirteen of them. */
const SEASON_DAYS = 400;
const WEEK = 7;

interface Span {
  first: number;
  last: number;
}

interface Collected extends Period {
  byRegion: Map<string, bigint>;
}

/** A way to put days together: the key of a day's group, and what the group is called. */
interface Grouping {
  key(date: IsoDate): string;
  name(key: string): [label: string, short: string];
}

const DAYS: Grouping = { key: (date) => date, name: (key) => [key, shortDay(key)] };
const MONTHS: Grouping = {
  key: (date) => date.slice(0, 7),
  name(key) {
    const month = Number(key.slice(5));
    return [`${monthName(month)} ${Number(key.slice(0, 4))}`, `${shortMonth(month)} ’${key.slice(2, 4)}`];
  },
};
const YEARS: Grouping = {
  key: (date) => date.slice(0, 4),
  name: (key) => [String(Number(key)), String(Number(key))],
};
const MONTHS_OF_THE_YEAR: Grouping = {
  key: (date) => date.slice(5, 7),
  name: (key) => [monthName(Number(key)), shortMonth(Number(key))],
};
const WEEKDAYS_OF_THE_WEEK: Grouping = {
  key: (date) => String(weekdayOf(date)),
  name: (key) => [WEEKDAYS[Number(key)]!, WEEKDAYS[Number(key)]!.slice(0, 3)],
};

/** Groups of the span's days, those without sales included, in the order of their keys. */
function group(rows: readonly RegionDay[], { first, last }: Span, { key, name }: Grouping): Collected[] {
  const groups = new Map<string, Collected>();
  for (let day = first; day <= last; day++) {
    const at = key(toIsoDate(day));
    let found = groups.get(at);
    if (!found) {
      const [label, short] = name(at);
      groups.set(at, found = { label, short, days: 0, sales: 0n, amountCents: 0n, byRegion: new Map() });
    }
    found.days++;
  }
  for (const { date, region, sales, amountCents } of rows) {
    const found = groups.get(key(date))!;
    found.sales += sales;
    found.amountCents += amountCents;
    found.byRegion.set(region, (found.byRegion.get(region) ?? 0n) + amountCents);
  }
  return [...groups].sort(([a], [b]) => a < b ? -1 : 1).map(([, collected]) => collected);
}

function lastWeek(rows: readonly RegionDay[], { first, last }: Span): LastWeek | undefined {
  if (last - first + 1 < WEEK) return undefined;
  const start = last - WEEK + 1;
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
    beforeCents: start - WEEK >= first ? sum(start - WEEK, start - 1).amountCents : undefined,
  };
}

function bestDay(rows: readonly RegionDay[]): Day {
  const days = new Map<IsoDate, Day>();
  for (const { date, sales, amountCents } of rows) {
    const day = days.get(date) ?? { date, sales: 0n, amountCents: 0n };
    days.set(date, { date, sales: day.sales + sales, amountCents: day.amountCents + amountCents });
  }
  return [...days.values()].reduce((a, b) => b.amountCents > a.amountCents ? b : a);
}

/** Cents on an average day of the period, half up. */
export function perDay(period: Pick<Period, "amountCents" | "days">): bigint {
  return divideHalfUp(period.amountCents, BigInt(period.days));
}

/** The first period with the highest amount on an average day, among those of `minDays` at least when there are such. */
export function best(periods: readonly Period[], minDays = 1): Period {
  const whole = periods.filter(({ days }) => days >= minDays);
  return (whole.length > 0 ? whole : periods).reduce((a, b) => perDay(b) > perDay(a) ? b : a);
}

/**
 * Takes the days apart.
 *
 * @param rows at least one, in order of time
 */
export function seasons(rows: readonly RegionDay[]): Seasons {
  const [from, to] = [rows[0]!.date, rows.at(-1)!.date];
  const span: Span = { first: toDay(from), last: toDay(to) };
  const days = span.last - span.first + 1;
  const unit = days <= DAILY_LINE_DAYS ? "day" : days <= MONTHLY_LINE_DAYS ? "month" : "year";
  return {
    from,
    to,
    span: days,
    line: group(rows, span, { day: DAYS, month: MONTHS, year: YEARS }[unit]),
    unit,
    months: group(rows, span, days <= SEASON_DAYS ? MONTHS : MONTHS_OF_THE_YEAR),
    weekdays: group(rows, span, WEEKDAYS_OF_THE_WEEK),
    lastWeek: lastWeek(rows, span),
    bestDay: bestDay(rows),
  };
}

/** Of each day the average of it and the six days before; the first six have none. */
export function weekAverages(days: readonly Period[]): (bigint | undefined)[] {
  let sum = 0n;
  return days.map(({ amountCents }, index) => {
    sum += amountCents;
    if (index >= WEEK) sum -= days[index - WEEK]!.amountCents;
    return index >= WEEK - 1 ? divideHalfUp(sum, BigInt(WEEK)) : undefined;
  });
}
