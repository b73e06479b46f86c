/**
 * Invented sales look real, by the measures of two real shops: CDNOW (an online shop) for customers and the retailer of "The
 * Complete Journey" for products. Checked for twenty seeds, because a user may choose any.
 */
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { toDay, toIsoDate } from "../../lib/domain/dates.ts";
import { makeCatalogue } from "../../lib/generate/catalogue.ts";
import { rankCorrelation } from "../../lib/generate/popularity.ts";
import { type Sale, Shop } from "../../lib/generate/shop.ts";

const PRODUCTS = 500;
const ROWS = 60_000;
const SEEDS = Array.from({ length: 20 }, (_, index) => index === 19 ? Number.MAX_SAFE_INTEGER : index);

function openShop(seed: number, asOf: string, rows = ROWS) {
  const catalogue = makeCatalogue(PRODUCTS, seed);
  const shop = new Shop({
    seed,
    asOf,
    rows,
    customers: Math.ceil(rows / 3),
    prices: Int32Array.from(catalogue, ({ priceCents }) => priceCents),
    seasons: catalogue.map(({ season }) => season),
    categories: catalogue.map(({ category }) => category),
  });
  return { catalogue, shop };
}

function assertWithin(found: number, low: number, high: number, what: string): void {
  assert(found >= low && found <= high, `${what}: ${found} is not within ${low} … ${high}`);
}

describe("generated sales", () => {
  for (const seed of SEEDS) {
    it(`look real with seed ${seed}`, () => {
      const { catalogue, shop } = openShop(seed, "2026-11-24");
      const perCustomer = new Map<number, number>();
      const perProduct = new Float64Array(PRODUCTS);
      const revenues = new Float64Array(PRODUCTS);
      const perDay = new Float64Array(365);
      const sale = {} as Sale;
      for (let index = 0; index < ROWS; index++) {
        shop.fillSale(index, sale);
        perCustomer.set(sale.customerId, (perCustomer.get(sale.customerId) ?? 0) + 1);
        perProduct[sale.productId - 1]!++;
        revenues[sale.productId - 1]! += sale.amountCents;
        perDay[sale.day]!++;
      }
      const revenue = revenues.reduce((sum, cents) => sum + cents);
      assertWithin(Math.max(...revenues) / revenue, 0.02, 0.08, "the best product's share of the revenue");
      const prices = catalogue.map(({ priceCents }) => priceCents);
      assertWithin(rankCorrelation(prices, perProduct), -0.35, -0.1, "rank correlation of price and sales");
      const counts = [...perCustomer.values()].sort((a, b) => b - a);
      const once = counts.filter((count) => count === 1).length / counts.length;
      assertWithin(once, 0.35, 0.6, "customers who buy once");
      assertWithin(counts[0]!, 10, 300, "sales of the most active customer");
      const tenth = counts.slice(0, Math.floor(counts.length / 10)).reduce((sum, count) => sum + count) /
        ROWS;
      assertWithin(tenth, 0.3, 0.5, "sales of the most active tenth of the customers");
      const average = ROWS / 365;
      const onDay = (date: string) => perDay[shop.calendar.dates.indexOf(date)]! / average;
      assert(
        onDay("2026-01-01") < 0.25 && onDay("2026-01-02") < 0.45,
        "the first days of January are not empty",
      );
      for (const peak of ["2025-11-28", "2026-11-11", "2025-12-24", "2026-03-06"]) {
        assert(onDay(peak) > 1.3, `${peak}: ${onDay(peak)} times the average day`);
      }
    });

    it(`show one shop through time with seed ${seed}`, () => {
      const rows = 10_000;
      const byDate = (asOf: string) => {
        const { catalogue, shop } = openShop(seed, asOf, rows);
        const days = new Map<string, string[]>();
        const sale = {} as Sale;
        for (let index = 0; index < rows; index++) {
          shop.fillSale(index, sale);
          const date = shop.calendar.dates[sale.day]!;
          const line = Object.entries(sale).filter(([name]) => name !== "day").map(([, value]) => value)
            .join();
          days.set(date, [...days.get(date) ?? [], line]);
        }
        return { catalogue, days };
      };
      const [last, next] = [byDate("2026-11-24"), byDate("2026-12-01")];
      assertEquals(next.catalogue, last.catalogue);
      const shared = toIsoDate(toDay("2026-12-01") - 364 + 7);
      for (const [date, lines] of last.days) {
        if (date >= shared) assertEquals(next.days.get(date), lines, date);
      }
    });
  }
});
