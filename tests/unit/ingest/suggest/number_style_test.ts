import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { findNumberStyle } from "../../../../lib/ingest/suggest/number_style.ts";

describe("findNumberStyle()", () => {
  for (
    const [values, style] of [
      [["1 234,56", "780,00 руб."], { decimal: ",", thousands: " " }],
      [["1.234,56"], { decimal: ",", thousands: "." }],
      [["$1,234.56", "5.00"], { decimal: ".", thousands: "," }],
      [["1,234", "5.00"], { decimal: ".", thousands: "," }],
      [["1,234", "5,00"], { decimal: ",", thousands: "" }],
      [["1'234.50"], { decimal: ".", thousands: "'" }],
      [["1,234,567"], { decimal: ".", thousands: "," }],
      [["5.00", "7", ".50", "1.005"], undefined],
      [[], undefined],
    ] as const
  ) {
    it(`reads ${values.join(" and ") || "nothing"}`, () => {
      const found = findNumberStyle(values);
      assertEquals([found.style, found.isUndecided], [style, false]);
    });
  }

  it("cannot decide about 1,234 alone, unless all quantities end so", () => {
    assertEquals(findNumberStyle(["1,234"]).isUndecided, true);
    const quantities = ["1,000", "2,000"];
    assertEquals(findNumberStyle(quantities, quantities).style, { decimal: ",", thousands: "" });
  });
});
