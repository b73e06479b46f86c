import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  countValues,
  isTotalRow,
  looksNumeric,
  shareOf,
  toColumns,
  toNumber,
} from "../../../../lib/ingest/suggest/column_stats.ts";

describe("the statistics of columns", () => {
  it("leave out columns without a name, and the second of two with one", () => {
    const columns = toColumns(["\ufeffA ", "", "a", "B"], [["1", "2", "3", " "], [" 4", "", "", "5"]]);
    assertEquals(columns.map(({ name, filled, index }) => [name, filled, index]), [["A", ["1", "4"], 0], [
      "B",
      [
        "5",
      ],
      3,
    ]]);
  });

  it("count values without case, as they are most often written", () => {
    assertEquals(countValues(["x", "MOS", "mos", "MOS"]), [["MOS", 3], ["x", 1]]);
    assertEquals(shareOf(["1", "x"], looksNumeric), 0.5);
    assertEquals(shareOf([], looksNumeric), 0);
  });

  it("know totals, but not products that are called so", () => {
    assert(isTotalRow(["", "Итого", "", "", "5"]));
    assert(!isTotalRow(["Total care", "1", "2", "3", "5"]));
  });

  it("know numbers with marks of currencies", () => {
    for (
      const text of ["1 234,56", "$1,000.00", "-$3.00", "(12.50)", "780,00 руб.", "12.50-", "5 EUR", "10%"]
    ) {
      assert(looksNumeric(text), text);
    }
    for (const text of ["A-1", "2026-11-10", "12 pieces", "", "-"]) assert(!looksNumeric(text), text);
    assertEquals(toNumber("1.234,5", { decimal: ",", thousands: "." }), 1234.5);
    assertEquals([toNumber("x", undefined), toNumber("", undefined)], [NaN, 0]);
  });
});
