import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { findUsual, isUnusual } from "../../../lib/compare/unusual.ts";

describe("findUsual()", () => {
  it("is not moved by a few large values", () => {
    const values = [1, 2, 3, 4, 5, 6, 7, 8, 1_000];
    const usual = findUsual(values)!;
    assertEquals(usual.median, 5);
    assertEquals(values.filter((value) => isUnusual(value, usual)), [1_000]);
  });

  it("says nothing about few values, or about equal ones", () => {
    assertEquals(findUsual([1, 2, 3, 4, 5, 6, 100]), undefined);
    assertEquals(findUsual([1, 1, 1, 1, 1, 1, 1, 1, 100]), undefined);
    assert(findUsual([1, 2, 3, 4, 5, 6, 7, 8]) !== undefined);
  });
});
