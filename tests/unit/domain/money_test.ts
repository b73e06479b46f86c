import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { divideHalfUp, formatMoney, fromCents, toCents } from "../../../lib/domain/money.ts";

describe("toCents()", () => {
  const cases: [text: string, cents: bigint][] = [
    ["0.00", 0n],
    ["0.01", 1n],
    ["-0.05", -5n],
    ["1234.50", 123_450n],
    ["007.10", 710n],
    ["999999999999.99", 99_999_999_999_999n],
    // Around 2^53, where floating point would lose the last cent.
    ["90071992547409.91", 9_007_199_254_740_991n],
    ["90071992547409.92", 9_007_199_254_740_992n],
    ["90071992547409.93", 9_007_199_254_740_993n],
    ["9999999999999999.99", 999_999_999_999_999_999n],
    [`${"9".repeat(40)}.99`, BigInt("9".repeat(42))],
  ];
  for (const [text, cents] of cases) {
    it(`parses ${text}`, () => assertEquals(toCents(text), cents));
  }

  for (
    const text of [
      "",
      "1",
      "1.0",
      "1.000",
      "1,00",
      ".50",
      "1.",
      "+1.00",
      " 1.00",
      "1e2.00",
      "--1.00",
      "٣.00",
      "1.00\n",
    ]
  ) {
    it(`rejects ${JSON.stringify(text)}`, () => {
      assertThrows(() => toCents(text), RangeError, "as money");
    });
  }
});

describe("fromCents()", () => {
  it("is the inverse of toCents()", () => {
    const cents = fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n });
    fc.assert(fc.property(cents, (amount) => toCents(fromCents(amount)) === amount));
    for (const around of [0n, 99n, 100n, 2n ** 53n, 10n ** 14n]) {
      for (const amount of [around - 1n, around, around + 1n, -around - 1n]) {
        assertEquals(toCents(fromCents(amount)), amount);
      }
    }
  });

  it("writes two decimals and at least one digit before them", () => {
    assertEquals([0n, 5n, 50n, -5n, -100n].map(fromCents), ["0.00", "0.05", "0.50", "-0.05", "-1.00"]);
  });
});

describe("sums of cents", () => {
  it("are exact for 10^9 rows, where floating point is not", () => {
    // The sum of 10^9 rows with the largest amount and one row of a single kopeck.
    const rows = 1_000_000_000n;
    const largest = toCents("999999999999.99");
    const sum = rows * largest + toCents("0.01");
    assertEquals(fromCents(sum), "999999999999990000000.01");
    assertEquals(sum - rows * largest, 1n);
    assert(Number(sum) === Number(sum - 1n), "floating point does not lose the kopeck");
    // The average sale, rounded half up to the cent.
    assertEquals(fromCents(divideHalfUp(sum, rows + 1n)), "999999998999.99");
  });

  it("do not depend on the order", () => {
    const amounts = fc.array(fc.bigInt({ min: 1n, max: 99_999_999_999_999n }), { maxLength: 50 });
    fc.assert(
      fc.property(amounts, (cents) => {
        const sum = (order: bigint[]) => order.reduce((total, amount) => total + amount, 0n);
        assertEquals(sum(cents), sum(cents.toSorted((a, b) => Number(a % 7n) - Number(b % 7n))));
      }),
    );
  });
});

describe("divideHalfUp()", () => {
  const cases: [a: bigint, b: bigint, scale: bigint, quotient: bigint][] = [
    [0n, 3n, 1n, 0n],
    [1n, 2n, 1n, 1n],
    [1n, 3n, 1n, 0n],
    [2n, 3n, 1n, 1n],
    [5n, 10n, 1n, 1n],
    [4_999n, 10_000n, 1n, 0n],
    [1n, 3n, 1_000_000n, 333_333n],
    [2n, 3n, 1_000_000n, 666_667n],
    [1n, 2_000_000n, 1_000_000n, 1n],
    [1n, 2_000_001n, 1_000_000n, 0n],
    [7n, 7n, 1_000_000n, 1_000_000n],
  ];
  for (const [a, b, scale, quotient] of cases) {
    it(`returns ${quotient} for ${a} × ${scale} ÷ ${b}`, () =>
      assertEquals(divideHalfUp(a, b, scale), quotient));
  }

  it("differs from the exact quotient by at most a half, and rounds a half up", () => {
    const [a, b] = [fc.bigInt({ min: 0n, max: 10n ** 22n }), fc.bigInt({ min: 1n, max: 10n ** 22n })];
    fc.assert(
      fc.property(a, b, fc.constantFrom(1n, 1_000_000n), (numerator, denominator, scale) => {
        const rounded = divideHalfUp(numerator, denominator, scale);
        const twice = 2n * (rounded * denominator - numerator * scale);
        return twice > -denominator && twice <= denominator;
      }),
    );
  });
});

describe("formatMoney()", () => {
  const cases: [text: string, formatted: string][] = [
    ["0.00", "0.00"],
    ["999.99", "999.99"],
    ["1000.00", "1 000.00"],
    ["1234567.50", "1 234 567.50"],
    ["-1234.50", "-1 234.50"],
    ["12345", "12 345"],
  ];
  for (const [text, formatted] of cases) {
    it(`returns ${formatted}`, () => assertEquals(formatMoney(text), formatted.replaceAll(" ", "\u00a0")));
  }
});
