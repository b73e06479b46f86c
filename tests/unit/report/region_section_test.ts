import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { renderRegionSection } from "../../../lib/report/region_section.ts";
import { reportData, textOf } from "./fixtures.ts";

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
