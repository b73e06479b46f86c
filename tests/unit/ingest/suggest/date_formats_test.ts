import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { findDates } from "../../../../lib/ingest/suggest/date_formats.ts";

describe("findDates()", () => {
  for (
    const [values, formats] of [
      [["2026-11-10 09:12:01 +0300", "2026-11-11"], []],
      [["16.11.2026 10:14", "17.11.2026"], []],
      [["2026-11-15T21:30:00.123Z"], []],
      [["11/2/2026 8:26", "11/31/2026 0:00"], ["M/d/yyyy H:mm"]],
      [["2/11/2026", "31/11/2026"], ["d/M/yyyy"]],
      [["1.2.2026", "3.4.26"], ["d.M.yyyy", "d.M.yy"]],
      [["11/13/26 1:05 PM"], ["M/d/yy h:mm a"]],
      [["13-11-2026T10:00:00"], ["d-M-yyyy'T'H:mm:ss"]],
      [["Nov 10, 2026 9:05 PM", "Nov 3, 2026 11:00 AM"], ["MMM d, yyyy h:mm a"]],
      [["16 ноября 2026"], ["d MMMM yyyy"]],
      [["20261110"], ["yyyyMMdd"]],
    ] as const
  ) {
    it(`finds how ${values[0]} is written`, () => {
      const found = findDates(values)!;
      assertEquals([found.formats, found.fitting, found.otherFormats], [
        [...formats],
        values.length,
        undefined,
      ]);
    });
  }

  it("gives both orders when nothing tells, or values contradict each other", () => {
    for (const values of [["1/2/2026"], ["13/2/2026", "2/13/2026"]]) {
      const found = findDates(values)!;
      assertEquals([found.formats, found.otherFormats], [["d/M/yyyy"], ["M/d/yyyy"]]);
    }
  });

  it("finds none in numbers, texts, and mostly other values", () => {
    assertEquals(findDates(["17850", "12583"]), undefined);
    assertEquals(findDates(["x", "y", "2026-11-10"]), undefined);
    assertEquals(findDates([]), undefined);
  });
});
