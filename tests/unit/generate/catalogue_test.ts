import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { parse } from "csv-parse";
import { catalogueCsv, DEPARTMENTS, makeCatalogue } from "../../../lib/generate/catalogue.ts";
import { fromCents } from "../../../lib/domain/money.ts";

function lastWord(name: string): string {
  return name.split(" ").at(-1)!;
}

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

  it("returns products of every kind, and each costs what its kind costs", () => {
    for (const { category, kinds } of DEPARTMENTS) {
      const products = catalogue.filter((product) => product.category === category);
      assert(products.length > 100, `${category}: ${products.length}`);
      for (const { name, priceCents } of products) {
        // The last word of a made-up name is the kind; books, records and dishes have titles.
        const kind = kinds.length === 1
          ? kinds[0]!
          : kinds.find((kind) => lastWord(kind.name()) === lastWord(name))!;
        const price = priceCents / 100;
        // Shelf prices are rounded up.
        assert(price >= kind.priceFrom && price <= kind.priceTo * 1.2, `${name} costs ${price}`);
      }
    }
  });

  it("writes prices as shops do", () => {
    for (const { priceCents, priceFromCents, priceToCents } of catalogue) {
      for (const cents of [priceCents, priceFromCents, priceToCents]) {
        assertMatch(fromCents(BigInt(cents)), /^\d{1,3}\.9[09]$|9[09]\.00$/);
      }
    }
  });

  it("returns more cheap products than expensive ones of every kind", () => {
    for (const { category, kinds } of DEPARTMENTS) {
      const ofKind = (price: number, name: string) => {
        const kind = kinds.length === 1
          ? kinds[0]!
          : kinds.find((kind) => lastWord(kind.name()) === lastWord(name))!;
        return price < (kind.priceFrom + kind.priceTo) / 2;
      };
      const products = catalogue.filter((product) => product.category === category);
      const cheap = products.filter(({ priceCents, name }) => ofKind(priceCents / 100, name)).length;
      assert(cheap > 0.6 * products.length, `${category}: ${cheap} of ${products.length}`);
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
