import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  addCurrency,
  type Currencies,
  describeCurrencies,
  findCurrencyColumn,
} from "../../../../lib/ingest/source/currencies.ts";
import { sourceOfMap } from "../../../../lib/ingest/source/column_copier.ts";
import { HeaderNames } from "../../../../lib/ingest/source/header_names.ts";

const SOURCE = sourceOfMap({}, undefined);
const sales = (lines: number, cents: bigint, firstLine = 2) => ({ lines, cents, firstLine });

describe("findCurrencyColumn()", () => {
  for (const name of ["Currency", "currency code", "Ccy", "Валюта", "Код валюты", " Order\u00a0Currency "]) {
    it(`finds ${name}`, () => assertEquals(findCurrencyColumn(SOURCE, new HeaderNames(["a", name])), 1));
  }

  it("finds none when there is none, or one is declared", () => {
    assertEquals(findCurrencyColumn(SOURCE, new HeaderNames(["a", "concurrency"])), undefined);
    const declared = { ...SOURCE, currency: { value: "RUB", code: "RUB" } } as unknown as typeof SOURCE;
    assertEquals(findCurrencyColumn(declared, new HeaderNames(["Currency"])), undefined);
  });
});

describe("describeCurrencies()", () => {
  it("names lines and sums of each", () => {
    const found: Currencies = new Map();
    addCurrency(found, "rub ", sales(2, 10_050n, 2));
    addCurrency(found, "USD", sales(1, 100n, 4));
    addCurrency(found, "RUB", sales(1, 50n, 5));
    addCurrency(found, " ", sales(1, 50n, 6));
    const warning = describeCurrencies("orders.csv", found);
    assertStringIncludes(warning!, "orders.csv holds amounts in 2 currencies");
    assertStringIncludes(warning!, "RUB on 3 lines from 2 on, 101.00; USD on line 4, 1.00. Say which");
  });

  it("is silent about one currency, and about a column that is something else", () => {
    const found: Currencies = new Map();
    addCurrency(found, "RUB", sales(2, 10_050n));
    assertEquals(describeCurrencies("x", found), undefined);
    for (let index = 0; index < 100; index++) addCurrency(found, `text ${index}`, sales(1, 1n));
    assertEquals(describeCurrencies("x", found), undefined);
    assert(found.size <= 30);
  });
});
