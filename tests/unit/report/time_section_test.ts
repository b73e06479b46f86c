import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { renderTimeSection } from "../../../lib/report/time_section.ts";
import { computeTrends } from "../../../lib/report/trends.ts";
import { days, reportData, textOf } from "./fixtures.ts";

describe("renderTimeSection()", () => {
  const cases: [heading: string, rows: ReturnType<typeof days>][] = [
    ["Day by day", days(100)],
    ["Through the year", days(300)],
    ["Through the years", ["2020-01-31", "2026-11-24"].map((date) => ({ ...days(1)[0]!, date }))],
  ];
  for (const [heading, rows] of cases) {
    it(`has the heading "${heading}" for ${rows[0]!.date} to ${rows.at(-1)!.date}`, () => {
      const text = textOf(renderTimeSection(reportData(), computeTrends(rows)));
      assertEquals(text.trim().split(" Revenue over time")[0], heading);
    });
  }

  it("has the data of each chart as a table", () => {
    const text = textOf(renderTimeSection(reportData(), computeTrends(days(2))));
    // 10 and 11 sales in each of two regions, at 200.00 and 100.00.
    assertStringIncludes(text, "November 2026 2 42 6 300.00 3 150.00 4 200.00 2 100.00");
    assertStringIncludes(text, "Tuesday 1 22 3 300.00 3 300.00 2 200.00 1 100.00");
  });
});
