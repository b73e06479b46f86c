import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  add,
  divide,
  formatExact,
  formatRounded,
  MAX_DECIMALS,
  multiply,
  negate,
  parseQuotient,
} from "../../../../lib/ingest/values/decimal.ts";

const q = parseQuotient;

describe("parseQuotient()", () => {
  it("reads whole numbers, decimals and signs", () => {
    assertEquals(["0", "007", "-12.50", "0.0001"].map((text) => formatExact(q(text))), [
      "0",
      "7",
      "-12.5",
      "0.0001",
    ]);
  });

  it("refuses other text", () => {
    for (const text of ["abc", "1,5", "1.2.3", "1e3"]) assertThrows(() => q(text), SyntaxError);
  });
});

describe("arithmetic", () => {
  it("is exact where floating point is not", () => {
    assertEquals(formatExact(add(q("0.1"), q("0.2"))), "0.3");
    assertEquals(formatExact(multiply(q("1.1"), q("1.1"))), "1.21");
    assertEquals(formatExact(multiply(q("99999999999999999999"), q("0.01"))), "999999999999999999.99");
  });

  it("keeps quotients whole until the end", () => {
    assertEquals(formatExact(multiply(divide(q("1"), q("3"))!, q("3"))), "1");
  });

  it("divides by negative numbers, and not by zero", () => {
    assertEquals(formatExact(divide(q("1"), q("-4"))!), "-0.25");
    assertEquals(divide(q("1"), q("0.00")), undefined);
  });

  it("negates", () => {
    assertEquals(formatExact(negate(q("1.5"))), "-1.5");
  });
});

describe("formatRounded()", () => {
  it("rounds half away from zero", () => {
    const texts = ["0.005", "0.0049999", "1.005", "-1.005", "-0.004", "2.5"];
    assertEquals(texts.map((text) => formatRounded(q(text), 2)), [
      "0.01",
      "0.00",
      "1.01",
      "-1.01",
      "0.00",
      "2.50",
    ]);
    assertEquals(formatRounded(q("2.5"), 0), "3");
  });
});

describe("formatExact()", () => {
  it("gives the decimals that there are, up to a limit", () => {
    assertEquals(formatExact(q("10")), "10");
    assertEquals(formatExact(q("100.10")), "100.1");
    assertEquals(formatExact(divide(q("2"), q("3"))!), `0.${"6".repeat(MAX_DECIMALS - 1)}7`);
  });
});
