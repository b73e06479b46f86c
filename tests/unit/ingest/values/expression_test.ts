import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  ExpressionError,
  looksLikeExpression,
  parseExpression,
  substituteValues,
} from "../../../../lib/ingest/values/expression.ts";

function mistake(text: string): [message: string, offset: number] {
  const { message, offset } = assertThrows(() => parseExpression(text), ExpressionError);
  return [message, offset];
}

describe("parseExpression()", () => {
  it("names each column once", () => {
    assertEquals(parseExpression("[ A ] * [B] - [A] + [x]]y]").columns, ["A", "B", "x]y"]);
  });

  it("says what is wrong, and where", () => {
    assertEquals(mistake("[A] *"), ["expected a column or a number at its end", 5]);
    assertEquals(mistake("[A] [B]"), ["expected an operator at [B]", 4]);
    assertEquals(mistake("([A] + 1"), ["expected ) at its end", 8]);
    assertEquals(mistake("[A] + 1)"), ["expected an operator at )", 7]);
    assertEquals(mistake("[A * 2"), ["[ has no ]", 0]);
    assertEquals(mistake("[A] % 2"), [
      "% is unexpected; an expression has [columns], numbers, + - * / ( )",
      4,
    ]);
    assertEquals(mistake("2 * 3"), ["it has no column; give a constant as {value: …}", 0]);
    assertEquals(mistake("[ ]"), ["[] names no column", 0]);
  });
});

describe("looksLikeExpression()", () => {
  it("tells expressions from names of columns", () => {
    const expressions = ["[A]", "[A] * [B]", "-[A]", "([A] + 1) / 2", "2 * [A]"];
    assertEquals(expressions.map(looksLikeExpression), expressions.map(() => true));
    const names = ["Price", "Price [RUB]", "2 * 3", "Total (net)", "-"];
    assertEquals(names.map(looksLikeExpression), names.map(() => false));
  });
});

describe("substituteValues()", () => {
  it("puts values in place of the columns", () => {
    const expression = parseExpression("[ A ] * [x]]y] - [A] / 2");
    assertEquals(substituteValues(expression, ["n/a", "$1"]), "n/a * $1 - n/a / 2");
  });
});
