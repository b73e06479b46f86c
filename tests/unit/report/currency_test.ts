import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { makeManifest } from "../../../lib/dataset/dataset.ts";
import { currencyOf, currencySign, withCurrency } from "../../../lib/report/currency.ts";

function raw(facts: Record<string, unknown>) {
  const head = { dataset: "raw" as const, runId: "r", asOf: "2026-11-24", engine: "native" as const, facts };
  return makeManifest(head, []);
}

describe("currencyOf()", () => {
  it("is that of the exports, else roubles", () => {
    assertEquals(currencyOf(raw({ source: "ingested", currency: "GBP" })), "GBP");
    assertEquals([currencyOf(raw({ source: "generated" })), currencyOf(undefined)], ["RUB", "RUB"]);
  });
});

describe("currencySign()", () => {
  it("is the shortest sign, or the code", () => {
    assertEquals(["RUB", "USD", "EUR", "KZT", "CHF", "XYZ"].map(currencySign), [
      "₽",
      "$",
      "€",
      "₸",
      "CHF",
      "XYZ",
    ]);
  });
});

describe("withCurrency()", () => {
  it("replaces the sign of roubles", () => {
    const text = "Revenue, ₽: ₽1.5 m";
    assertEquals(withCurrency(text, "RUB"), text);
    assertEquals(withCurrency(text, "USD"), "Revenue, $: $1.5 m");
    assertEquals(withCurrency(text, "CHF"), "Revenue, CHF: CHF\u00a01.5 m");
  });
});
