import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { FIRST_SURROGATE_KEY, toNumericId, toSurrogateKey } from "../../../../lib/ingest/values/ids.ts";

describe("toNumericId()", () => {
  it("keeps ids of digits, without the decimals that a spreadsheet adds", () => {
    assertEquals(["17850", "17850.0", "7.00", "000123", "0"].map(toNumericId), [
      "17850",
      "17850",
      "7",
      "000123",
      "0",
    ]);
  });

  it("takes any other text for no number", () => {
    const texts = ["85123A", "#1001", "17850.5", "-1", "1 000", "1e5", "", ".0", "٣", "a@b.example"];
    assertEquals(texts.map(toNumericId), texts.map(() => undefined));
  });

  it("leaves the range of surrogate keys to them", () => {
    assertEquals(toNumericId(String(FIRST_SURROGATE_KEY - 1n)), String(FIRST_SURROGATE_KEY - 1n));
    assertEquals(toNumericId(String(FIRST_SURROGATE_KEY)), undefined);
    assertEquals(toNumericId("9".repeat(40)), undefined);
    assertEquals(toNumericId("0".repeat(40) + "5"), "0".repeat(40) + "5");
  });
});

describe("toSurrogateKey()", () => {
  it("is the published hash, so that it never changes", () => {
    // The specification's value of the empty text, and of one that two other programs gave.
    assertEquals(BigInt(toSurrogateKey("").digits), FIRST_SURROGATE_KEY + (0xEF46DB3751D8E999n >> 2n));
    assertEquals(BigInt(toSurrogateKey("abc").digits), FIRST_SURROGATE_KEY + (0x44BC2CF5AD770999n >> 2n));
  });

  it("fits into the column of a table", () => {
    const keys = Array.from({ length: 10_000 }, (_, index) => BigInt(toSurrogateKey(`#${index}`).digits));
    assert(keys.every((key) => key >= FIRST_SURROGATE_KEY && key < 2n ** 63n));
    assertEquals(new Set(keys).size, keys.length);
  });

  it("has the same number in its halves as in decimal", () => {
    for (let index = 0; index < 10_000; index++) {
      const { high, low, digits } = toSurrogateKey(`#${index}`);
      assertEquals(String((BigInt(high) << 32n) + BigInt(low)), digits);
    }
  });
});
