import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { Evaluator } from "../../../../lib/ingest/values/evaluator.ts";
import { parseExpression } from "../../../../lib/ingest/values/expression.ts";
import type { NumberStyle } from "../../../../lib/ingest/values/number_text.ts";

const COMMA: NumberStyle = { decimal: ",", thousands: "." };

/** Evaluates with the columns' texts in the order of the expression's columns. */
function amount(text: string, ...values: string[]): string | undefined {
  return new Evaluator(parseExpression(text)).amount(values);
}

describe("Evaluator", () => {
  it("follows the precedence of operators", () => {
    assertEquals(amount("[A] + [B] * [C]", "1", "2", "3"), "7.00");
    assertEquals(amount("([A] + [B]) * [C]", "1", "2", "3"), "9.00");
    assertEquals(amount("[A] - [B] - [C]", "10", "3", "2"), "5.00");
    assertEquals(amount("[A] / [B] / [C]", "12", "3", "2"), "2.00");
    assertEquals(amount("-[A] * -(2 + [B])", "3", "1"), "9.00");
  });

  it("rounds once, half up", () => {
    assertEquals(amount("[A]", "1.005"), "1.01");
    assertEquals(amount("[A] * 3", "0.335"), "1.01");
    assertEquals(amount("[A] / 3 * 3", "0.01"), "0.01");
    assertEquals(amount("[A]", "-1.005"), "-1.01");
  });

  it("takes an empty value for 0", () => {
    assertEquals(amount("[A] * [B] - [C]", "2.55", "6", " "), "15.30");
  });

  it("gives nothing for a value that is no number, and for a division by zero", () => {
    assertEquals(amount("[A] * [B]", "2.55", "n/a"), undefined);
    assertEquals(amount("[A] / [B]", "2.55", "0.00"), undefined);
    assertEquals(new Evaluator(parseExpression("[A] / [B]")).number(["1", ""]), undefined);
  });

  it("remains usable after that", () => {
    const evaluator = new Evaluator(parseExpression("[A] * [B]"));
    assertEquals(["n/a", "-5", "5"].map((text) => evaluator.amount([text, "2"])), [
      undefined,
      "-10.00",
      "10.00",
    ]);
  });

  it("does not round numbers", () => {
    const evaluator = new Evaluator(parseExpression("[A] * [B]"));
    assertEquals(evaluator.number(["1.5", "1"]), "1.5");
    assertEquals(evaluator.number(["12", "2"]), "24");
  });

  it("reads the source file's style of numbers; its own have a point", () => {
    const evaluator = new Evaluator(parseExpression("[A] * 1.5"), COMMA);
    assertEquals(["1,50", "1.000,10", "1.5"].map((text) => evaluator.amount([text])), [
      "2.25",
      "1500.15",
      undefined,
    ]);
  });

  it("is exact beyond the range of exact floating-point numbers", () => {
    assertEquals(amount("[A] * [B]", "9007199254740993", "1"), "9007199254740993.00");
    assertEquals(amount("[A] * [B]", "90071992.5474", "99999999.99"), "9007199253839280.07");
    assertEquals(amount("[A] + [B]", "0.000000000000001", "999999999999.99"), "999999999999.99");
  });

  it("equals the calculation in whole numbers, whatever the size, sign, decimals and style", () => {
    const number = fc.record({
      units: fc.oneof(
        fc.bigInt({ min: -(10n ** 6n), max: 10n ** 6n }),
        fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n }),
      ),
      decimals: fc.nat({ max: 4 }),
    });
    const expression = parseExpression("[A] * [B] - [C] * 1.5");
    const evaluators: [mark: string, evaluator: Evaluator][] = [
      [".", new Evaluator(expression)],
      [",", new Evaluator(expression, COMMA)],
    ];
    const write = ({ units, decimals }: { units: bigint; decimals: number }, mark: string) => {
      const digits = (units < 0n ? -units : units).toString().padStart(decimals + 1, "0");
      const whole = digits.slice(0, digits.length - decimals);
      return `${units < 0n ? "-" : ""}${whole}${decimals > 0 ? mark + digits.slice(-decimals) : ""}`;
    };
    fc.assert(
      fc.property(number, number, number, (a, b, c) => {
        const scaled = [a, b, c].map(({ units, decimals }) => units * 10n ** BigInt(4 - decimals));
        // In units of 10⁻⁸, of which a cent holds a million.
        const exact = scaled[0]! * scaled[1]! - scaled[2]! * 15_000n;
        const size = exact < 0n ? -exact : exact;
        const cents = (size + 500_000n) / 1_000_000n;
        const digits = cents.toString().padStart(3, "0");
        const sign = exact < 0n && cents > 0n ? "-" : "";
        const expected = `${sign}${digits.slice(0, -2)}.${digits.slice(-2)}`;
        for (const [mark, evaluator] of evaluators) {
          assertEquals(evaluator.amount([a, b, c].map((each) => write(each, mark))), expected);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
