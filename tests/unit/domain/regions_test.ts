import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { regionIndex } from "../../../lib/domain/regions.ts";

describe("regionIndex()", () => {
  it("knows the names of the data contract in any case", () => {
    assertEquals(["North", "s", "ВОСТОК", "запад", "Moscow", ""].map(regionIndex), [
      0,
      1,
      2,
      3,
      undefined,
      undefined,
    ]);
  });
});
