import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { RegionDay } from "../../../lib/report/report_data.ts";
import { bestPeriod, computeTrends, dailyAverage, movingAverages } from "../../../lib/report/trends.ts";
import { days } from "./fixtures.ts";

function day(date: string, amountCents: bigint, region = "North"): RegionDay {
  return { date, region, sales: 1n, amountCents };
}

describe("computeTrends()", () => {
  it("includes days without sales", () => {
    const { series, spanDays, unit } = computeTrends([day("2026-02-27", 100n), day("2026-03-02", 300n)]);
    assertEquals([spanDays, unit], [4, "day"]);
    assertEquals(series.map(({ label, amountCents }) => [label, amountCents]), [
      ["2026-02-27", 100n],
      ["2026-02-28", 0n],
      ["2026-03-01", 0n],
      ["2026-03-02", 300n],
    ]);
  });

  it("sums the regions of a day, a month and a weekday", () => {
    const rows = [day("2026-03-30", 100n), day("2026-03-30", 50n, "West"), day("2026-04-06", 7n)];
    const { months, weekdays, bestDay } = computeTrends(rows);
    assertEquals(months.map(({ label, days, amountCents }) => [label, days, amountCents]), [
      ["March 2026", 2, 150n],
      ["April 2026", 6, 7n],
    ]);
    assertEquals([...months[0]!.byRegion], [["North", 100n], ["West", 50n]]);
    assertEquals(weekdays.map(({ shortLabel, days }) => `${shortLabel} ${days}`), [
      "Mon 2",
      "Tue 1",
      "Wed 1",
      "Thu 1",
      "Fri 1",
      "Sat 1",
      "Sun 1",
    ]);
    assertEquals(weekdays[0]!.amountCents, 157n);
    assertEquals(bestDay, { date: "2026-03-30", sales: 2n, amountCents: 150n });
  });

  const spans: [rows: RegionDay[], unit: string, points: number, months: number][] = [
    [days(365), "day", 365, 13],
    [[day("2024-11-25", 1n), day("2026-11-24", 1n)], "day", 730, 12],
    [[day("2020-01-01", 1n), day("2026-11-24", 1n)], "month", 83, 12],
    [[day("1901-01-01", 1n), day("2026-11-24", 1n)], "year", 126, 12],
    [[day("2026-11-24", 1n)], "day", 1, 1],
  ];
  for (const [rows, unit, points, months] of spans) {
    it(`returns ${points} ${unit}s from ${rows[0]!.date} to ${rows.at(-1)!.date}`, () => {
      const found = computeTrends(rows);
      assertEquals([found.unit, found.series.length, found.months.length], [unit, points, months]);
    });
  }

  it("returns the last seven days and the amount of the seven before", () => {
    const rows = days(14);
    const week = computeTrends(rows).lastWeek!;
    assertEquals([week.from, week.to], ["2026-11-18", "2026-11-24"]);
    // 17 + … + 23 and 10 + … + 16 sales in each of two regions, at 200.00 and 100.00.
    assertEquals([week.sales, week.amountCents, week.previousCents], [280n, 4_200_000n, 2_730_000n]);
  });

  it("returns no last week, or no week before, when the data does not cover it", () => {
    assertEquals(computeTrends(days(13)).lastWeek!.previousCents, undefined);
    assertEquals(computeTrends(days(6)).lastWeek, undefined);
  });
});

describe("bestPeriod()", () => {
  const period = (label: string, days: number, amountCents: bigint) => ({
    label,
    shortLabel: label,
    days,
    sales: 1n,
    amountCents,
    byRegion: new Map<string, bigint>(),
  });

  it("compares daily averages", () => {
    assertEquals(bestPeriod([period("long", 31, 3100n), period("short", 28, 2856n)]).label, "short");
  });

  it("ignores periods that are too short, unless all are", () => {
    const rows = [period("stub", 1, 500n), period("whole", 30, 3000n)];
    assertEquals(bestPeriod(rows, 7).label, "whole");
    assertEquals(bestPeriod(rows.slice(0, 1), 7).label, "stub");
  });
});

describe("movingAverages()", () => {
  it("starts at the seventh day, and is exact above 2^53 cents", () => {
    const large = 90_071_992_547_409_930n;
    const line = computeTrends(days(9)).series.map((day) => ({ ...day, amountCents: large }));
    assertEquals(movingAverages(line), [...Array(6).fill(undefined), large, large, large]);
  });
});

describe("dailyAverage()", () => {
  it("rounds half up", () => assertEquals(dailyAverage({ amountCents: 5n, days: 2 }), 3n));
});
