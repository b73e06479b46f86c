import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { PriceList, priceRange, toShelfPrice } from "../../../lib/generate/prices.ts";
import { Random } from "../../../lib/generate/random.ts";

describe("toShelfPrice()", () => {
  const cases: [roubles: number, ending: 90 | 99, cents: number][] = [
    [60, 90, 69_90],
    [69.9, 90, 69_90],
    [349.9, 99, 349_99],
    [999.99, 90, 999_90],
    [1_000, 90, 1_090_00],
    [3_490, 90, 3_490_00],
    [3_499, 99, 3_499_00],
    [9_999, 99, 9_999_00],
    [10_000, 90, 10_490_00],
    [24_990, 90, 24_990_00],
    [139_999, 99, 139_999_00],
  ];
  for (const [roubles, ending, cents] of cases) {
    it(`returns ${cents / 100} for ${roubles} and ${ending}`, () =>
      assertEquals(toShelfPrice(Math.round(roubles * 100), ending), cents));
  }

  it("leaves shelf prices as they are", () => {
    for (let cents = 6_000; cents < 15_000_000; cents = Math.ceil(cents * 1.01)) {
      for (const ending of [90, 99] as const) {
        const price = toShelfPrice(cents, ending);
        assertEquals(toShelfPrice(price, ending), price);
        assert(price > cents * 0.95 && price < cents * 1.2, `${price} for ${cents}`);
      }
    }
  });
});

describe("PriceList", () => {
  const regular = Int32Array.of(69_90, 349_99, 3_490_00, 24_999_00);
  const firstDay = 20_417;
  const pricesOf = (product: number, from = firstDay, seed = 3) => {
    const list = new PriceList(regular, from, 365, new Random(seed));
    return Array.from({ length: 365 }, (_, day) => list.priceCents(product, day));
  };

  it("priceCents() stays within the price range, and is the regular price about half of the time", () => {
    let regularDays = 0;
    for (let seed = 0; seed < 50; seed++) {
      regular.forEach((price, product) => {
        const { from, to } = priceRange(price);
        assert(from < price && price < to, `${from} < ${price} < ${to}`);
        for (const found of pricesOf(product, firstDay, seed)) {
          assert(found >= from && found <= to, `${found} of ${from} … ${to}`);
          if (found === price) regularDays++;
        }
      });
    }
    const share = regularDays / (50 * regular.length * 365);
    assert(share > 0.4 && share < 0.7, `${share}`);
  });

  it("priceCents() changes at most four times a year", () => {
    regular.forEach((_, product) => {
      const prices = pricesOf(product);
      const changes = prices.filter((price, day) => day > 0 && price !== prices[day - 1]);
      assert(changes.length <= 4, `${changes.length} changes of product ${product}`);
    });
  });

  it("priceCents() is the same for a date in any year that holds it", () => {
    regular.forEach((_, product) => {
      const [earlier, later] = [pricesOf(product), pricesOf(product, firstDay + 7)];
      assertEquals(later.slice(0, 358), earlier.slice(7));
    });
  });
});
