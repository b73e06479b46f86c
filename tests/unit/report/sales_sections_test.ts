import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  renderProductSection,
  renderRegionSection,
  renderTimeSection,
} from "../../../lib/report/sales_sections.ts";
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

describe("renderRegionSection()", () => {
  it("shows sales, revenue, average check and share of each region, and the total", () => {
    const text = textOf(renderRegionSection(reportData()));
    assertMatch(text, /North 600 000 1 200 000 6 004 799 503 160 662\.00 .* 66\.7%/);
    assertMatch(text, /All 1 000 000 2 000 000 9 007 199 254 740 993\.00 .* 100\.0%/);
  });

  it("sums the smallest categories when there are many", () => {
    const categories = Array.from({ length: 15 }, (_, index) => ({
      category: `Category ${String.fromCharCode(65 + index)}`,
      region: "North",
      sales: 1n,
      amountCents: BigInt(1500 - 100 * index),
    }));
    const text = textOf(renderRegionSection(reportData({ categories })));
    assertStringIncludes(text, "Category K");
    assertStringIncludes(text, "4 other categories");
    assertEquals(text.includes("Category L"), false);
  });

  it("colours shares by their ratio to the share in the whole shop", () => {
    const total = { ...reportData().total!, amountCents: 200n };
    const regions = reportData().regions.map((region) => ({ ...region, amountCents: 100n }));
    const cell = (category: string, region: string, amountCents: bigint) => ({
      category,
      region,
      sales: 1n,
      amountCents,
    });
    const categories = [cell("Home", "North", 80n), cell("Home", "West", 20n), cell("Toys", "North", 20n)];
    const markup = renderRegionSection(reportData({ total, regions, categories })).toString();
    assertStringIncludes(markup, '<span class="heat more-3">80.0%</span>');
    assertStringIncludes(markup, '<span class="heat less-3">20.0%</span>');
  });

  it("shows the favourites of each region, and regions without any", () => {
    const text = textOf(renderRegionSection(reportData()));
    assertStringIncludes(text, "North Buys like the other regions.");
    assertStringIncludes(text, "West product 9 1.8×");
  });

  it("omits categories and favourites when there are none", () => {
    const text = textOf(renderRegionSection(reportData({ categories: [], favourites: [] })));
    assertEquals(/What each region buys|Favourites/.test(text), false);
  });
});

describe("renderProductSection()", () => {
  it("shows the best sellers with their categories and cumulative shares", () => {
    const text = textOf(renderProductSection(reportData()));
    assertMatch(text, /1 Wooden Chair Home Home 700 000 .* 70\.0% 70\.0%/);
    assertStringIncludes(text, "80% of the revenue 2 products, 100.0% of all");
  });

  it("lists products by number when there is no catalogue", () => {
    const products = reportData().products.map((product) => ({
      ...product,
      name: undefined,
      category: undefined,
    }));
    const text = textOf(renderProductSection(reportData({ products })));
    assertStringIncludes(text, "This run has no catalogue");
    assertStringIncludes(text, "1 product 7 700 000");
  });
});
