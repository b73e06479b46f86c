import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { toDay, toIsoDate } from "../../../lib/domain/dates.ts";
import {
  Calendar,
  dayWeight,
  interpolate,
  MONTH_WEIGHTS,
  monthMix,
  SEASONS,
  WEEKDAY_WEIGHTS,
} from "../../../lib/generate/calendar.ts";
import { Random } from "../../../lib/generate/random.ts";

function average(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number) / numbers.length;
}

/** Counts the sales of each day. */
function countPerDay(calendar: Calendar, rows: number): number[] {
  const counts = new Array<number>(365).fill(0);
  for (let index = 0; index < rows; index++) counts[calendar.dayOf(index)]!++;
  return counts;
}

describe("Calendar", () => {
  const ends: [asOf: string, first: string][] = [
    ["2026-11-24", "2025-11-25"],
    ["2024-02-29", "2023-03-02"],
    ["2024-12-31", "2024-01-02"],
    ["2023-12-31", "2023-01-01"],
  ];
  for (const [asOf, first] of ends) {
    it(`holds the 365 days from ${first} to ${asOf}`, () => {
      const { dates, months } = new Calendar(asOf, 10, new Random(1));
      assertEquals([dates.length, dates[0], dates.at(-1)], [365, first, asOf]);
      dates.forEach((date, day) => {
        const before = new Date(Date.parse(`${asOf}T00:00:00Z`) - (364 - day) * 86_400_000);
        assertEquals(date, before.toISOString().slice(0, 10));
        assertEquals(months[day], before.getUTCMonth());
      });
    });
  }

  for (const rows of [1, 2, 364, 365, 1000]) {
    it(`dayOf() assigns ${rows} sales to days in chronological order`, () => {
      const calendar = new Calendar("2026-11-24", rows, new Random(3));
      let last = 0;
      for (let index = 0; index < rows; index++) {
        const day = calendar.dayOf(index);
        assert(day >= last && day < 365, `sale ${index} is of day ${day}, the one before of day ${last}`);
        last = day;
      }
    });
  }

  it("dayOf() distributes sales by the weights of the days", () => {
    const rows = 500_000;
    const calendar = new Calendar("2026-11-24", rows, new Random(11));
    const counts = countPerDay(calendar, rows);
    const weights = counts.map((_, day) => dayWeight(calendar.firstDay + day));
    const scale = average(weights);
    // The oldest week absorbs what the others have more or less than a year.
    counts.slice(7).forEach((count, index) => {
      const ratio = count / (rows / 365) / (weights[index + 7]! / scale);
      assert(Math.abs(ratio - 1) < 0.1, `${calendar.dates[index + 7]}: ${ratio} of what is expected`);
    });
  });

  for (const rows of [1, 2, 50, 364, 1_000, 20_000]) {
    it(`keyOf() is the same for ${rows} sales of a day in both of two years, but for the oldest week`, () => {
      for (
        const asOf of ["1971-01-01", "2024-02-29", "2026-11-24", "2026-11-27", "2027-01-05", "2149-05-30"]
      ) {
        const later = toIsoDate(toDay(asOf) + 7);
        const [first, second] = [keysByDate(asOf, rows), keysByDate(later, rows)];
        const from = toIsoDate(toDay(later) - 364 + 7);
        for (const date of new Set([...first.keys(), ...second.keys()])) {
          if (date >= from && date <= asOf) {
            assertEquals(second.get(date), first.get(date), `${date} of ${asOf}`);
          }
        }
      }
    });

    it(`keyOf() is unique and positive for ${rows} sales`, () => {
      for (const asOf of ["1971-01-01", "2026-11-27", "2149-06-06"]) {
        const keys = [...keysByDate(asOf, rows).values()].flat();
        assertEquals(new Set(keys).size, rows);
        assert(
          keys.every((key) => key > 0),
          asOf,
        );
      }
    });
  }
});

/** Returns the keys of each day's sales. */
function keysByDate(asOf: string, rows: number): Map<string, number[]> {
  const calendar = new Calendar(asOf, rows, new Random(1));
  const keys = new Map<string, number[]>();
  for (let index = 0; index < rows; index++) {
    const day = calendar.dayOf(index);
    const date = calendar.dates[day]!;
    keys.set(date, [...keys.get(date) ?? [], calendar.keyOf(index, day)]);
  }
  return keys;
}

describe("dayWeight()", () => {
  /** Returns a day's sales relative to those of an ordinary day of its month and weekday. */
  const factorOf = (date: string) =>
    dayWeight(toDay(date)) / interpolate(MONTH_WEIGHTS, monthMix(toDay(date))) /
    WEEKDAY_WEIGHTS[new Date(date).getUTCDay()]!;

  it("knows the days of a Russian shop, in any year", () => {
    const peaks = [
      ...["2025-11-11", "2026-11-11", "2024-12-24", "2025-12-25", "2026-02-21", "2025-03-06"],
      // Black Fridays.
      ...["2024-11-29", "2025-11-28", "2026-11-27", "2030-11-29"],
    ];
    for (const date of peaks) assert(factorOf(date) > 1.25, `${date}: ${factorOf(date)}`);
    for (const date of ["2026-01-01", "2025-01-02", "2024-01-03", "2026-02-23", "2025-03-08", "2026-05-09"]) {
      assert(factorOf(date) < 0.8, `${date}: ${factorOf(date)}`);
    }
    assert(factorOf("2026-01-01") < 0.2, "the first of January is empty");
  });

  it("changes smoothly from month to month", () => {
    const ordinary = Array.from({ length: 3 * 365 }, (_, index) => toDay("2024-04-01") + index).filter((
      day,
    ) => new Date(day * 86_400_000).getUTCDay() === 3);
    for (const day of ordinary) {
      const [now, next] = [
        interpolate(MONTH_WEIGHTS, monthMix(day)),
        interpolate(MONTH_WEIGHTS, monthMix(day + 1)),
      ];
      assert(Math.abs(next - now) < 0.02, `${toIsoDate(day)}: ${now}, then ${next}`);
    }
  });
});

describe("monthMix()", () => {
  it("is a month's own in its middle, and half of two at their boundary", () => {
    assertEquals(monthMix(toDay("2026-01-16")), { month: 0, nextShare: 0 });
    const { month, nextShare } = monthMix(toDay("2026-01-01"));
    assertEquals(month, 11);
    assert(Math.abs(nextShare - 0.516) < 0.001, String(nextShare));
  });
});

describe("SEASONS", () => {
  for (const [season, weights] of Object.entries(SEASONS)) {
    it(`${season} averages 1 over the year`, () => {
      assertEquals(weights.length, 12);
      assert(Math.abs(average([...weights]) - 1) < 0.05, String(average([...weights])));
    });
  }
});
