import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { parse } from "csv-parse";
import { catalogueCsv, DEPARTMENTS, makeCatalogue } from "../../../lib/generate/catalogue.ts";
import { fromCents } from "../../../lib/domain/money.ts";

describe("makeCatalogue()", () => {
  const catalogue = makeCatalogue(2_000, 20261124);

  it("returns the same products for the same seed and size, others for another seed", () => {
    assertEquals(makeCatalogue(2_000, 20261124), catalogue);
    const names = (seed: number) => makeCatalogue(20, seed).map(({ name }) => name).join();
    const seeds = [20261124, 20261125, 20261124 + 2 ** 32, Number.MAX_SAFE_INTEGER, 0];
    assertEquals(new Set(seeds.map(names)).size, seeds.length);
  });

  it("returns the same first products for any size", () => {
    assertEquals(makeCatalogue(10, 20261124), catalogue.slice(0, 10));
  });

  it("returns products of every department within its prices", () => {
    for (const { category, priceFrom, priceTo } of DEPARTMENTS) {
      const prices = catalogue.filter((product) => product.category === category)
        .map(({ priceCents }) => priceCents / 100);
      assert(prices.length > 100, `${category}: ${prices.length}`);
      // Prices may round up to the next ninety.
      assert(Math.min(...prices) >= priceFrom && Math.max(...prices) <= priceTo + 90, category);
    }
  });

  it("returns more cheap products than expensive ones in every department", () => {
    for (const { category, priceFrom, priceTo } of DEPARTMENTS) {
      const prices = catalogue.filter((product) => product.category === category)
        .map(({ priceCents }) => priceCents / 100);
      const cheap = prices.filter((price) => price < (priceFrom + priceTo) / 2).length;
      assert(cheap > 0.6 * prices.length, `${category}: ${cheap} of ${prices.length}`);
    }
  });

  it("keeps the regular price within the price range, which is positive", () => {
    for (const { priceCents, priceFromCents, priceToCents } of catalogue) {
      assert(0 < priceFromCents && priceFromCents < priceCents && priceCents < priceToCents);
    }
  });
});

describe("catalogueCsv()", () => {
  it("returns CSV that parses back, including names with commas, quotes and line breaks", async () => {
    const book = { category: "Books", season: "steady" as const, priceCents: 100, priceFromCents: 80 };
    const products = [
      ...makeCatalogue(300, 5),
      { ...book, name: 'Say "yes", twice', priceToCents: 115 },
      { ...book, name: "line\nbreak", priceToCents: 115 },
    ];
    const rows = await Array.fromAsync<Record<string, string>>(
      parse(catalogueCsv(products), { columns: true }),
    );
    assertEquals(
      rows,
      products.map(({ name, category, priceFromCents, priceToCents }, index) => ({
        product_id: String(index + 1),
        name,
        category,
        price_from: fromCents(BigInt(priceFromCents)),
        price_to: fromCents(BigInt(priceToCents)),
      })),
    );
  });
});
