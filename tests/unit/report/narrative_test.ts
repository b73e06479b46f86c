import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { headlineMetrics, renderNarrative } from "../../../lib/report/narrative.ts";
import type { ReportData } from "../../../lib/report/report_data.ts";
import { computeTrends } from "../../../lib/report/trends.ts";
import { days, reportData, textOf } from "./fixtures.ts";

function narrate(changes: Partial<ReportData>): string {
  const data = reportData(changes);
  return textOf(renderNarrative(data, computeTrends(data.days)));
}

describe("renderNarrative()", () => {
  it("names the leading region, the best seller, and the strongest month and weekday", () => {
    const text = narrate({});
    assertStringIncludes(text, "North leads with 66.7% of revenue, ahead of West with 33.3%.");
    assertStringIncludes(text, "November 2026 was the strongest month: its days brought in");
    assertStringIncludes(text, "Sunday is the strongest weekday (+3.4%).");
    assertStringIncludes(text, "The best seller is Wooden Chair (Home) with ₽70 k, 70.0% of revenue.");
  });

  it("compares the last seven days to the seven before and to an average week", () => {
    // 280 sales after 182, of 462 in 14 days.
    assertStringIncludes(
      narrate({ days: days(14) }),
      "sales brought in ₽42 k , 53.8% more than the seven days before. That is 21.2% more than an average week.",
    );
  });

  it("omits what a short span or a single region does not show", () => {
    const text = narrate({ days: days(6), regions: reportData().regions.slice(0, 1) });
    assertStringIncludes(text, "North leads with 66.7% of revenue.");
    for (const absent of ["strongest", "The last seven days"]) assertEquals(text.includes(absent), false);
  });

  it("calls a best seller without a name by its number", () => {
    assertStringIncludes(
      narrate({ products: reportData().products.slice(1) }),
      "The best seller is product 9 with",
    );
  });

  it("returns nothing when no row was accepted", () => {
    const trends = computeTrends(days(1));
    assertEquals(renderNarrative(reportData({ total: undefined }), trends).toString(), "");
  });
});

describe("headlineMetrics()", () => {
  const metrics = (count: number) => headlineMetrics(reportData(), computeTrends(days(count)));
  const plain = (texts: string[]) => texts.map((text) => text.replace(/\u202f/g, " "));

  it("returns revenue, sales, average check and customers", () => {
    assertEquals(metrics(6).map(plain), [
      ["Revenue", "₽9 007 tn", "₽9 007 199 254 740 993.00"],
      ["Sales", "1 000 000", "of 1 020 000 raw rows"],
      ["Average check", "₽9 007 199 254.74", "2 000 000 units sold"],
      ["Customers", "1 000", "99.0% bought again"],
    ]);
  });

  it("returns the last week, compared to the week before if there is one", () => {
    assertEquals(plain(metrics(7).at(-1)!), ["Last 7 days", "₽27.3 k", "182 sales"]);
    assertEquals(plain(metrics(14).at(-1)!), ["Last 7 days", "₽42 k", "+53.8% on the week before"]);
  });

  it("returns nothing when no row was accepted", () => {
    assertEquals(headlineMetrics(reportData({ total: undefined }), computeTrends(days(1))), []);
  });
});
