import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { findDateStyle, findNumberStyle, toNumber } from "../../../../lib/ingest/suggest/values.ts";

describe("findDateStyle()", () => {
  const styles: [texts: string[], formats: string[] | undefined, alternative?: string][] = [
    [["2026-11-16", "16.11.2026 10:14"], []],
    [["2026-11-16T10:14:00Z"], []],
    [["11/16/2026", "11/2/2026"], ["M/d/yyyy"]],
    [["16/11/2026", "2/11/2026"], ["d/M/yyyy"]],
    [["11/2/2026 8:26", "11/2/2026 9:41"], ["M/d/yyyy H:mm"], "d/M/yyyy H:mm"],
    [["16 Nov 2026", "2 Dec 2026"], ["d MMM yyyy"]],
    [["16.11.26", "17.11.26", "2026-11-16"], ["dd.MM.yy", "yyyy-MM-dd HH:mm:ss ZZZ"].slice(0, 1)],
    [["x", "y", "16.11.2026"], undefined],
    [[], undefined],
  ];
  for (const [texts, formats, alternative] of styles) {
    it(`is ${formats?.join() ?? "nothing"} for ${texts.join(", ")}`, () => {
      const style = findDateStyle(texts);
      assertEquals([style?.formats, style?.alternative], [formats, alternative]);
    });
  }
});

describe("findNumberStyle()", () => {
  it("tells decimal commas, and thousands, from the data contract's forms", () => {
    assertEquals(findNumberStyle(["1.50", "2", "1 234.00"]), undefined);
    assertEquals(findNumberStyle(["1,000", "1 234,56"]), { decimal: ",", thousands: "" });
    assertEquals(findNumberStyle(["1.234,56", "7,00"]), { decimal: ",", thousands: "." });
    assertEquals(findNumberStyle(["1,234.56", "7.00"]), { decimal: ".", thousands: "," });
  });
});

describe("toNumber()", () => {
  it("reads numbers as exports write them", () => {
    assertEquals([toNumber("$1,234.50", { decimal: ".", thousands: "," }), toNumber("", undefined)], [
      1234.5,
      undefined,
    ]);
  });
});
