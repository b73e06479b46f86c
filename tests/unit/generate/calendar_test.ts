import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Calendar, MONTH_WEIGHTS, SEASONS, WEEKDAY_WEIGHTS } from "../../../lib/generate/calendar.ts";
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

  it("dayOf() distributes sales by the weekday and month weights", () => {
    const rows = 500_000;
    const calendar = new Calendar("2026-11-24", rows, new Random(11));
    const counts = countPerDay(calendar, rows);
    const typical = rows / 365;
    const weekdays = WEEKDAY_WEIGHTS.map((_, weekday) =>
      average(counts.filter((_, day) => new Date(calendar.dates[day]!).getUTCDay() === weekday)) / typical
    );
    WEEKDAY_WEIGHTS.forEach((weight, weekday) => assert(Math.abs(weekdays[weekday]! - weight) < 0.05));
    // 5 % tolerance: a month has no whole number of weeks, and the noise of its days does not cancel out.
    const scale = average(counts.map((_, day) => MONTH_WEIGHTS[calendar.months[day]!]!));
    MONTH_WEIGHTS.forEach((weight, month) => {
      const share = average(counts.filter((_, day) => calendar.months[day] === month)) / typical;
      assert(Math.abs(share - weight / scale) < 0.05, `month ${month}: ${share}, not ${weight / scale}`);
    });
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
