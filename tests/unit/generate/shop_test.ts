import { assert, assertEquals } from "@std/assert";
import { beforeAll, describe, it } from "@std/testing/bdd";
import { toDay, toIsoDate } from "../../../lib/domain/dates.ts";
import { makeCatalogue } from "../../../lib/generate/catalogue.ts";
import type { SEASONS } from "../../../lib/generate/calendar.ts";
import { ZIPF_EXPONENT } from "../../../lib/generate/popularity.ts";
import {
  AWAY_SHARE,
  FAVOURITE_SHARE,
  QUANTITIES,
  REGION_WEIGHTS,
  type Sale,
  Shop,
} from "../../../lib/generate/shop.ts";
import { REGIONS } from "../../../lib/domain/sale.ts";

const ROWS = 300_000;
const CUSTOMERS = 100_000;
const PRODUCTS = 500;
const AS_OF = "2026-11-24";

/** Asserts that a share of `count` samples is as expected, within four standard deviations. */
function assertShare(found: number, expected: number, count: number, what: string): void {
  const tolerance = 4 * Math.sqrt(expected * (1 - expected) / count);
  assert(Math.abs(found - expected) <= tolerance, `${what}: ${found}, expected ${expected} ± ${tolerance}`);
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}

/** Returns the slope of the least-squares line through points. */
function slope(points: [x: number, y: number][]): number {
  const meanX = sum(points.map(([x]) => x)) / points.length;
  const meanY = sum(points.map(([, y]) => y)) / points.length;
  return sum(points.map(([x, y]) => (x - meanX) * (y - meanY))) /
    sum(points.map(([x]) => (x - meanX) ** 2));
}

for (const seed of [20261124, 1]) {
  describe(`Shop with seed ${seed}`, () => {
    const catalogue = makeCatalogue(PRODUCTS, seed);
    const shop = new Shop({
      seed,
      asOf: AS_OF,
      rows: ROWS,
      customers: CUSTOMERS,
      prices: Int32Array.from(catalogue, ({ priceCents }) => priceCents),
      seasons: catalogue.map(({ season }) => season),
      categories: catalogue.map(({ category }) => category),
    });
    const sales: Sale[] = [];
    const perProduct = new Float64Array(PRODUCTS);
    const perRegionProduct = REGIONS.map(() => new Float64Array(PRODUCTS));

    beforeAll(() => {
      for (let index = 0; index < ROWS; index++) {
        const sale = {} as Sale;
        shop.fillSale(index, sale);
        sales.push(sale);
        perProduct[sale.productId - 1]!++;
        perRegionProduct[sale.region]![sale.productId - 1]!++;
      }
    });

    it("sells products by a Zipf-like law", () => {
      const ranked = perProduct.toSorted().reverse();
      const middle = Array.from(
        ranked,
        (count, rank): [number, number] => [Math.log(rank + 5), Math.log(count)],
      )
        .slice(3, 200);
      const found = slope(middle);
      // Regional taste and season add variance, which makes the ranked curve slightly steeper.
      assert(found < -ZIPF_EXPONENT + 0.05 && found > -1.3 * ZIPF_EXPONENT, `slope ${found}`);
      assert(ranked.at(-1)! > 0, "a product is never sold");
      const top = sum(ranked.slice(0, PRODUCTS / 10)) / ROWS;
      assert(top > 0.25 && top < 0.5, `a tenth of the products has ${top} of the sales`);
    });

    it("distributes sales over regions by their weights", () => {
      // Regions follow the customers' homes: there are fewer customers than sales, and some buy very often.
      REGION_WEIGHTS.forEach((weight, region) => {
        const share = sum(perRegionProduct[region]!) / ROWS;
        assert(Math.abs(share - weight) < 0.02, `${REGIONS[region]}: ${share}, expected ${weight}`);
      });
    });

    it("has different tastes in different regions", () => {
      // Chi-square of region × product against independence: far above its expectation of about 1,500.
      let square = 0;
      for (const counts of perRegionProduct) {
        const share = sum(counts) / ROWS;
        counts.forEach((count, product) => {
          const expected = share * perProduct[product]!;
          square += (count - expected) ** 2 / expected;
        });
      }
      assert(square > 4 * (REGIONS.length - 1) * (PRODUCTS - 1), `chi-square ${square}`);
      const favourites = perRegionProduct.map((counts) => counts.indexOf(Math.max(...counts)));
      assert(
        new Set(favourites).size > 1,
        `product ${favourites[0]! + 1} is the best seller in every region`,
      );
    });

    it("sells at home except for the share away", () => {
      let [atHome, away] = [0, 0];
      for (const bought of Map.groupBy(sales, ({ customerId }) => customerId).values()) {
        if (bought.length < 5) continue;
        const perRegion = REGIONS.map((_, region) => bought.filter((sale) => sale.region === region).length);
        const home = Math.max(...perRegion);
        atHome += home;
        away += bought.length - home;
      }
      assert(atHome + away > ROWS / 10, `only ${atHome + away} sales of customers who buy often`);
      // A region drawn for a sale away may be the home region: both are drawn with the same weights.
      const backHome = sum(REGION_WEIGHTS.map((weight) => weight * weight));
      const expected = AWAY_SHARE * (1 - backHome);
      const found = away / (atHome + away);
      assert(Math.abs(found - expected) < 0.1 * expected, `away: ${found}, expected ${expected}`);
    });

    it("sells repeat buyers more of their favourite category", () => {
      const shares: number[] = [];
      const typical = new Map<string, number>();
      for (const { productId } of sales) {
        const { category } = catalogue[productId - 1]!;
        typical.set(category, (typical.get(category) ?? 0) + 1 / ROWS);
      }
      for (const bought of Map.groupBy(sales, ({ customerId }) => customerId).values()) {
        if (bought.length < 20) continue;
        const categories = bought.map(({ productId }) => catalogue[productId - 1]!.category);
        const most = Math.max(...Map.groupBy(categories, (name) => name).values().map((all) => all.length));
        shares.push(most / bought.length);
      }
      const found = sum(shares) / shares.length;
      const largest = Math.max(...typical.values());
      assert(found > FAVOURITE_SHARE, `favourite: ${found} of the sales`);
      assert(largest < 0.25, `the largest category has ${largest}`);
    });

    it("sells quantities by the weights of the price, and some in bulk", () => {
      QUANTITIES.forEach(({ maxPriceCents, weights }, range) => {
        const minPriceCents = QUANTITIES[range - 1]?.maxPriceCents ?? 0;
        const counts = new Float64Array(31);
        for (const { quantity, productId } of sales) {
          const { priceCents } = catalogue[productId - 1]!;
          if (priceCents > minPriceCents && priceCents <= maxPriceCents) counts[quantity]!++;
        }
        const total = sum(counts);
        assert(total > ROWS / 50, `${total} sales up to ${maxPriceCents}`);
        weights.slice(0, 9).forEach((weight, index) =>
          assertShare(counts[index + 1]! / total, weight, total, `quantity ${index + 1}`)
        );
        const bulk = counts.subarray(10, 31);
        assertShare(sum(bulk) / total, weights[9] ?? 0, total, "bulk");
        assert(weights.length < 10 || Math.min(...bulk) > 0, "a bulk quantity never occurs");
      });
    });

    it("priceCents() × quantity is the amount, within the product's price range", () => {
      for (const { amountCents, quantity, productId, day } of sales) {
        const price = shop.priceCents(productId - 1, day);
        const { priceFromCents, priceToCents } = catalogue[productId - 1]!;
        assert(amountCents === quantity * price, `${amountCents} for ${quantity} × ${price}`);
        assert(Number.isSafeInteger(price) && price > 0, `price ${price}`);
        assert(price >= priceFromCents && price <= priceToCents, `${price} of product ${productId}`);
      }
    });

    it("sells seasonal products in their season", () => {
      const share = (season: keyof typeof SEASONS, months: number[]) => {
        const all = sales.filter(({ productId }) => catalogue[productId - 1]!.season === season);
        return all.filter(({ day }) => months.includes(shop.calendar.months[day]!)).length / all.length;
      };
      const summerMonths = [4, 5, 6, 7];
      const allYear = share("steady", summerMonths);
      assert(share("summer", summerMonths) > 1.4 * allYear, "summer products in summer");
      assert(share("winter", summerMonths) < 0.8 * allYear, "winter products in summer");
      assert(share("gifts", [11]) > 1.5 * share("steady", [11]), "gifts in December");
      assert(share("school", [7]) > 1.5 * share("steady", [7]), "school products in August");
    });

    it("sells more in December than in January, and more on Mondays than on Saturdays", () => {
      const inMonth = (month: number) =>
        sales.filter(({ day }) => shop.calendar.months[day] === month).length;
      assert(inMonth(11) > 1.4 * inMonth(0), `December ${inMonth(11)}, January ${inMonth(0)}`);
      const onWeekday = (weekday: number) =>
        sales.filter(({ day }) => new Date(shop.calendar.dates[day]!).getUTCDay() === weekday).length;
      assert(onWeekday(1) > 1.25 * onWeekday(6));
    });

    it("fillSale() covers the 365 days up to as-of in chronological order", () => {
      const days = new Set(sales.map(({ day }) => day));
      assertEquals(days.size, 365);
      assertEquals(new Set(sales.map(({ saleId }) => saleId)).size, ROWS);
      assertEquals(toIsoDate(shop.calendar.firstDay), toIsoDate(toDay(AS_OF) - 364));
      sales.forEach(({ saleId, day }, index) => {
        assert(saleId % 2 === 0, `sale ${index} is ${saleId}`);
        if (index > 0) assert(day >= sales[index - 1]!.day);
      });
    });

    it("fillExtraSale() returns a sale of the same day that is not a valid one", () => {
      const [extra, valid] = [{} as Sale, {} as Sale];
      for (const index of [0, 1, ROWS - 1]) {
        shop.fillExtraSale(index, extra);
        shop.fillSale(index, valid);
        assertEquals(extra.saleId, valid.saleId + 1);
        assertEquals(extra.day, valid.day);
        assertEquals(extra.amountCents, extra.quantity * shop.priceCents(extra.productId - 1, extra.day));
      }
    });
  });
}

describe("Shop", () => {
  it("fillSale() works with one product, one customer and one sale", () => {
    const shop = new Shop({
      seed: 0,
      asOf: AS_OF,
      rows: 1,
      customers: 1,
      prices: Int32Array.of(19_990),
      seasons: ["winter"],
      categories: ["Clothing"],
    });
    const sale = {} as Sale;
    shop.fillSale(0, sale);
    assert(sale.saleId > 10_000_000 && sale.customerId > 100_000);
    assertEquals(sale.productId, 1);
    assertEquals(sale.amountCents, sale.quantity * shop.priceCents(0, sale.day));
  });
});
