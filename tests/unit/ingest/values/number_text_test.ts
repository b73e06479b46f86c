import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { normalizeNumber, type NumberStyle } from "../../../../lib/ingest/values/number_text.ts";

const AMERICAN: NumberStyle = { decimal: ".", thousands: "," };
const GERMAN: NumberStyle = { decimal: ",", thousands: "." };
const RUSSIAN: NumberStyle = { decimal: ",", thousands: " " };
const SWISS: NumberStyle = { decimal: ".", thousands: "'" };

function expectNumbers(style: NumberStyle | undefined, expected: Record<string, string | undefined>): void {
  const texts = Object.keys(expected);
  assertEquals(Object.fromEntries(texts.map((text) => [text, normalizeNumber(text, style)])), expected);
}

describe("normalizeNumber()", () => {
  it("reads numbers as in the data contract, with any number of decimals after a point", () => {
    expectNumbers(undefined, {
      "5": "5",
      "12.50": "12.50",
      "12,50": "12.50",
      "1 234,56": "1234.56",
      "1\u00a0234\u202f567": "1234567",
      "2.5500": "2.5500",
      "17850.0": "17850.0",
      "0,125": "0.125",
    });
  });

  it("leaves undecided what may be thousands or decimals", () => {
    expectNumbers(undefined, { "1,234": undefined, "1,234.50": undefined, "1.234.567": undefined });
  });

  it("reads the style of the source file", () => {
    expectNumbers(AMERICAN, { "1,234": "1234", "$1,234.50": "1234.50", "12,34,567.8": "1234567.8" });
    expectNumbers(GERMAN, { "1.234,56": "1234.56", "1,234": "1.234", "1.234.567": "1234567" });
    expectNumbers(RUSSIAN, { "1 234,56": "1234.56", "1\u2009234": "1234" });
    expectNumbers(SWISS, { "1'234.50": "1234.50" });
  });

  it("takes marks that stand in the wrong place for no number, rather than for one a hundred times as large", () => {
    expectNumbers(GERMAN, {
      "12.50": undefined,
      "1.2345": undefined,
      "0.125": undefined,
      "1,2,3": undefined,
    });
    expectNumbers(AMERICAN, { "12,50": undefined, "1,234,5": undefined });
  });

  it("removes what stands around the digits", () => {
    expectNumbers(undefined, {
      "780,00 руб.": "780.00",
      "руб.5": "5",
      "₽ 1 000": "1000",
      "RUB 3.00": "3.00",
      "5 %": "5",
      "3 шт": "3",
      "\ufeff7": "7",
    });
  });

  it("keeps the sign wherever it stands", () => {
    const negative = [
      "-12.50",
      "12.50-",
      "(12.50)",
      "-$12.50",
      "$-12.50",
      "($12.50)",
      "−12.50",
      "- 12.50",
      "12.50 -",
    ];
    assertEquals(negative.map((text) => normalizeNumber(text)), negative.map(() => "-12.50"));
  });

  it("does not take the hyphen of a word for a sign", () => {
    expectNumbers(undefined, { "INV-12": undefined, "12-pack": undefined });
  });

  it("reads numbers without a whole part", () => {
    expectNumbers(undefined, { ".5": "0.5", "$.50": "0.50", "-,25": "-0.25" });
    expectNumbers(GERMAN, { ",5": "0.5", ".5": undefined });
  });

  it("gives nothing for text that is no number", () => {
    expectNumbers(undefined, {
      "": undefined,
      "n/a": undefined,
      "2026-11-16": undefined,
      "10:15": undefined,
      "1e5": undefined,
      "٣": undefined,
    });
  });
});
