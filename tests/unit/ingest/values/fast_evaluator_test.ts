import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { Evaluator } from "../../../../lib/ingest/values/evaluator.ts";
import { parseExpression } from "../../../../lib/ingest/values/expression.ts";
import { FastEvaluator } from "../../../../lib/ingest/values/fast_evaluator.ts";

function hundredths(formula: string, ...numbers: [units: number, decimals: number][]): number | undefined {
  const evaluator = new FastEvaluator(parseExpression(formula));
  numbers.forEach(([units, decimals], index) => {
    evaluator.columnUnits[index] = units;
    evaluator.columnDecimals[index] = decimals;
  });
  return evaluator.hundredths();
}

describe("FastEvaluator", () => {
  it("evaluates numbers with decimals, rounded once, half up", () => {
    assertEquals(hundredths("[A] * [B]", [10005, 3], [2, 0]), 2001);
    assertEquals(hundredths("[A] + [B] - 0.5", [1, 0], [25, 1]), 300);
    assertEquals(hundredths("-[A]", [15, 3]), -2);
    assertEquals(hundredths("[A]", [5, 3]), 1);
  });

  it("gives up what may be inexact", () => {
    assertEquals(hundredths("[A] * [B]", [1e15, 0], [1e15, 0]), undefined);
    assertEquals(hundredths("[A] / [B]", [1, 0], [2, 0]), undefined);
    assertEquals(hundredths("[A]", [NaN, 0]), undefined);
    assertEquals(hundredths("[A] + 12345678901234567890", [1, 0]), undefined);
  });

  it("agrees with exact arithmetic", () => {
    const number = fc.tuple(fc.nat(10 ** 9), fc.nat(6));
    const formulas = ["[A] * [B] - [C]", "([A] - [B]) * [C]", "[A] * [B] * [C]", "[A] + [B] + [C] - 1.005"];
    fc.assert(
      fc.property(
        fc.constantFrom(...formulas),
        fc.array(number, { minLength: 3, maxLength: 3 }),
        (formula, numbers) => {
          const fast = hundredths(formula, ...numbers);
          if (fast === undefined) return;
          // An expression with a division by 1 is evaluated in quotients.
          const exact = new Evaluator(parseExpression(`(${formula}) / 1`));
          const texts = numbers.map(([units, decimals]) => {
            const digits = String(units).padStart(decimals + 1, "0");
            return decimals === 0 ? digits : `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
          });
          assertEquals(Math.round(Number(exact.amount(texts)!.replace(".", ""))) + 0, fast + 0);
        },
      ),
    );
  });
});
