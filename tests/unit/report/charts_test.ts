import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  curveChart,
  lineChart,
  monthsChart,
  sharesChart,
  weekdaysChart,
} from "../../../lib/report/charts.ts";
import { type Chart, renderChart } from "../../../lib/report/render_chart.ts";
import { computeTrends } from "../../../lib/report/trends.ts";
import { days, reportData, textOf } from "./fixtures.ts";

/** Returns the tooltips of the wide version. */
function tooltips(chart: Chart): string[] {
  const [wide] = renderChart(chart).toString().split('class="narrow"');
  return [...wide!.matchAll(/<title>([^<]*)<\/title>/g)].map(([, text]) => text!.replace(/\u202f/g, " "));
}

const { regions, curve, concentration } = reportData();

describe("lineChart()", () => {
  it("labels the span and the best day", () => {
    const label = lineChart(computeTrends(days(100))).label.replace(/[\u202f\u00a0]/g, " ");
    assertEquals(
      label,
      "Daily revenue with its seven-day average, from 17 August 2026 to 24 November 2026. " +
        "The best day was 24 November 2026 with ₽32.7 k.",
    );
  });

  it("shows only the names of months below many days", () => {
    assertStringIncludes(textOf(renderChart(lineChart(computeTrends(days(100))))), " Sep Oct Nov ");
  });

  it("shows daily averages by month over long spans, so that incomplete months are no dips", () => {
    const rows = ["2020-01-31", "2020-02-01", "2026-11-24"].map((date) => ({ ...days(1)[0]!, date }));
    const chart = lineChart(computeTrends(rows));
    assertStringIncludes(chart.label, "Average daily revenue by month, from 31\u00a0January\u00a02020");
    // The only day of January has as much revenue as the whole of February, so its point is higher.
    const [line] = /d="M([^"]+)"[^>]*fill="none"[^>]*stroke="var\(--accent\)"/.exec(
      renderChart(chart).toString(),
    )!.slice(1);
    const heights = line!.split(/[ML]/).map((point) => Number(point.trim().split(/[ ,]/)[1]));
    assert(heights[0]! < heights[1]! - 50, `${heights.slice(0, 3)}`);
  });
});

describe("monthsChart()", () => {
  it("has a tooltip with the daily average of each month and region", () => {
    // 10 and 11 sales of 200.00 and of 100.00.
    assertEquals(tooltips(monthsChart(computeTrends(days(2)), regions)), [
      "November 2026, North: ₽2 100 a day",
      "November 2026, West: ₽1 050 a day",
    ]);
  });
});

describe("weekdaysChart()", () => {
  it("has a tooltip with the daily average of each weekday, Monday first", () => {
    const texts = tooltips(weekdaysChart(computeTrends(days(7))));
    assertEquals(texts.length, 7);
    // Monday, 23 November, is the sixth day: 15 sales of 300.00 together.
    assertEquals(texts[0], "Monday: ₽4 500.00 a day");
  });

  it("labels each weekday with its deviation from the average", () => {
    const { label } = weekdaysChart(computeTrends(days(7)));
    assertStringIncludes(label, "Monday +15.4%");
    assertStringIncludes(label, "Wednesday \u221223.1%");
  });
});

describe("sharesChart()", () => {
  it("has a label and a tooltip with the share of each region", () => {
    const chart = sharesChart(regions);
    assertEquals(chart.label, "Share of revenue: North 66.7%, West 33.3%.");
    assertEquals(tooltips(chart), ["North: 66.7%", "West: 33.3%"]);
  });

  it("names no region whose part is too narrow", () => {
    const shares = regions.map((region, index) => ({ ...region, share: [950_000n, 50_000n][index]! }));
    const text = textOf(renderChart(sharesChart(shares)));
    assertEquals([text.includes("North 95.0%"), text.includes("West 5.0%")], [true, false]);
  });
});

describe("curveChart()", () => {
  it("labels the number of products that bring 80% of the revenue", () => {
    assertStringIncludes(curveChart(curve, concentration).label, "2 of 2 products bring 80% of the revenue.");
  });

  it("draws the curve through all points", () => {
    const points = renderChart(curveChart(curve, concentration)).toString()
      .match(/d="M[^"]+"[^>]*fill="none"[^>]*stroke="var\(--accent\)"/)![0].match(/[ML]/g);
    assertEquals(points?.length, 1 + curve.length);
  });
});
