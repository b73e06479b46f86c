import { assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { renderProductSection } from "../../../lib/report/product_section.ts";
import { reportData, textOf } from "./fixtures.ts";

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
