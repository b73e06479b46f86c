import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import {
  formatFloat32,
  formatNumber,
  formatScaled,
  withMark,
} from "../../../../lib/ingest/formats/plain_number.ts";

describe("formatNumber()", () => {
  it("writes the shortest decimal without an exponent", () => {
    const cases: [number, string][] = [
      [0, "0"],
      [-0, "0"],
      [21, "21"],
      [0.1 + 0.2, "0.30000000000000004"],
      [8270.370000000001, "8270.37"],
      [-1234.5, "-1234.5"],
      [1e21, "1000000000000000000000"],
      [1.5e22, "15000000000000000000000"],
      [1.5e-7, "0.00000015"],
      [-2e-10, "-0.0000000002"],
      [2 ** 53, "9007199254740992"],
      [NaN, "NaN"],
      [-Infinity, "-Infinity"],
    ];
    for (const [value, text] of cases) assertEquals(formatNumber(value), text);
  });

  it("writes a decimal comma when told to", () => {
    assertEquals([formatNumber(-1234.5, ","), formatNumber(1e-7, ","), formatNumber(12, ",")], [
      "-1234,5",
      "0,0000001",
      "12",
    ]);
  });

  it("reads back the same for every number", () => {
    fc.assert(fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const text = formatNumber(value);
      assert(/^-?\d+(\.\d+)?$/.test(text), text);
      assertEquals(Number(text), value === 0 ? 0 : value);
    }));
  });
});

describe("formatFloat32()", () => {
  it("writes the shortest decimal of a 32-bit number", () => {
    const cases: [number, string][] = [
      [0.1, "0.1"],
      [19.99, "19.99"],
      [16777216, "16777216"],
      [-1e-10, "-0.0000000001"],
      [3e38, "3" + "0".repeat(38)],
      [Infinity, "Infinity"],
    ];
    for (const [value, text] of cases) assertEquals(formatFloat32(Math.fround(value)), text);
    assertEquals(formatFloat32(Math.fround(0.5), ","), "0,5");
  });

  it("reads back the same for every number", () => {
    fc.assert(fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
      assertEquals(Math.fround(Number(formatFloat32(value))), value === 0 ? 0 : value);
    }));
  });
});

describe("formatScaled()", () => {
  it("puts the point where it belongs", () => {
    const cases: [bigint | number, number, string][] = [
      [1050, 2, "10.50"],
      [-5n, 2, "-0.05"],
      [0n, 2, "0.00"],
      [12345678901234567890123456789012345678n, 10, "1234567890123456789012345678.9012345678"],
      [7, 0, "7"],
      [7, -3, "7000"],
      [0, -3, "0"],
    ];
    for (const [unscaled, decimals, text] of cases) assertEquals(formatScaled(unscaled, decimals), text);
    assertEquals(formatScaled(-1050n, 2, ","), "-10,50");
  });
});

describe("withMark()", () => {
  it("replaces the point", () => assertEquals([withMark("1.5", ","), withMark("1.5", ".")], ["1,5", "1.5"]));
});
