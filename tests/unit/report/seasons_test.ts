import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { RegionDay } from "../../../lib/report/figures.ts";
import { best, perDay, seasons, weekAverages } from "../../../lib/report/seasons.ts";
import { days } from "./figures.ts";

function day(date: string, amountCents: bigint, region = "North"): RegionDay {
  return { date, region, sales: 1n, amountCents };
}

describe("seasons()", () => {
  it("fills days without sales", () => {
    const { line, span, unit } = seasons([day("2026-02-27", 100n), day("2026-03-02", 300n)]);
    assertEquals([span, unit], [4, "day"]);
    assertEquals(line.map(({ label, amountCents }) => [label, amountCents]), [
      ["2026-02-27", 100n],
      ["2026-02-28", 0n],
      ["2026-03-01", 0n],
      ["2026-03-02", 300n],
    ]);
  });

  it("adds up the regions of a day, a month and a weekday", () => {
    const rows = [day("2026-03-30", 100n), day("2026-03-30", 50n, "West"), day("2026-04-06", 7n)];
    const { months, weekdays, bestDay } = seasons(rows);
    assertEquals(months.map(({ label, days, amountCents }) => [label, days, amountCents]), [
      ["March 2026", 2, 150n],
      ["April 2026", 6, 7n],
    ]);
    assertEquals([...months[0]!.byRegion], [["North", 100n], ["West", 50n]]);
    assertEquals(weekdays.map(({ short, days }) => `${short} ${days}`), [
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
    it(`draws ${points} ${unit}s from ${rows[0]!.date} to ${rows.at(-1)!.date}`, () => {
      const found = seasons(rows);
      assertEquals([found.unit, found.line.length, found.months.length], [unit, points, months]);
    });
  }

  it("compares the last seven days with the seven before", () => {
    const rows = days(14);
    const week = seasons(rows).lastWeek!;
    assertEquals([week.from, week.to], ["2026-11-18", "2026-11-24"]);
    // 17 + … + 23 and 10 + … + 16 sales in each of two regions, of 300.00 together.
    assertEquals([week.sales, week.amountCents, week.beforeCents], [280n, 4_200_000n, 2_730_000n]);
  });

  it("compares with nothing when the data does not reach back", () => {
    assertEquals(seasons(days(13)).lastWeek!.beforeCents, undefined);
    assertEquals(seasons(days(6)).lastWeek, undefined);
  });
});

describe("best()", () => {
  const period = (label: string, days: number, amountCents: bigint) => ({
    label,
    short: label,
    days,
    sales: 1n,
    amountCents,
    byRegion: new Map<string, bigint>(),
  });

  it("judges by the average day", () => {
    assertEquals(best([period("long", 31, 3100n), period("short", 28, 2856n)]).label, "short");
  });

  it("passes over periods that are too short, unless there are no others", () => {
    const rows = [period("stub", 1, 500n), period("whole", 30, 3000n)];
    assertEquals(best(rows, 7).label, "whole");
    assertEquals(best(rows.slice(0, 1), 7).label, "stub");
  });
});

describe("weekAverages()", () => {
  it("begins with the seventh day and stays exact beyond 2^53 cents", () => {
    const large = 90_071_992_547_409_930n;
    const line = seasons(days(9)).line.map((day) => ({ ...day, amountCents: large }));
    assertEquals(weekAverages(line), [...Array(6).fill(undefined), large, large, large]);
  });
});

describe("perDay()", () => {
  it("rounds half up", () => assertEquals(perDay({ amountCents: 5n, days: 2 }), 3n));
});
