/** Shelf prices: how a shop writes them, and how they change over time. No I/O. */
import { type Random, Stream } from "./random.ts";

/** Days for which a price stays; each product changes its price on other days. */
const PRICE_DAYS = 91;
/** Factors of the regular price. Each period draws one; half of the draws are the regular price. */
const FACTORS = [1, 1, 1, 1, 0.85, 0.9, 1.05, 1.1] as const;

/**
 * Rounds a price as shops write it: 349.90, 3,490 or 24,490, or with 99 in place of 90.
 *
 * @param cents price in cents, at least 10,00
 * @param ending last two digits that are not zero
 */
export function toShelfPrice(cents: number, ending: 90 | 99): number {
  if (cents < 100_000) return Math.floor(cents / 1_000) * 1_000 + 900 + ending;
  const step = cents < 1_000_000 ? 10_000 : 50_000;
  return Math.floor(cents / step) * step + step - 10_000 + ending * 100;
}

/** Returns the price of each draw of a period, in cents. @param regularCents a shelf price */
function variantPrices(regularCents: number): number[] {
  const ending = regularCents % 100 === 99 || Math.floor(regularCents / 100) % 100 === 99 ? 99 : 90;
  return FACTORS.map((factor) => factor === 1 ? regularCents : toShelfPrice(regularCents * factor, ending));
}

/** Returns the lowest and the highest price of any day, in cents. */
export function priceRange(regularCents: number): { from: number; to: number } {
  const prices = variantPrices(regularCents);
  return { from: Math.min(...prices), to: Math.max(...prices) };
}

/** Prices of all products on the days of one year. */
export class PriceList {
  /** Prices in cents by product × periods + period. */
  readonly #prices: Int32Array;
  /** Days since the price changed last, on the first day of the year, by product. */
  readonly #elapsed: Uint8Array;
  readonly #periods: number;

  /**
   * Draws the prices of all periods.
   *
   * @param regularCents regular price of each product, in cents
   * @param firstDay first day of the year, as days since 1970-01-01
   * @param days number of days
   * @param random source of the days of change and of the factors
   */
  constructor(regularCents: Int32Array, firstDay: number, days: number, random: Random) {
    const periods = Math.ceil(days / PRICE_DAYS) + 1;
    this.#periods = periods;
    this.#prices = new Int32Array(regularCents.length * periods);
    this.#elapsed = new Uint8Array(regularCents.length);
    regularCents.forEach((regular, product) => {
      const since = firstDay + random.below(PRICE_DAYS, Stream.PriceChange, product);
      const firstPeriod = Math.floor(since / PRICE_DAYS);
      this.#elapsed[product] = since - firstPeriod * PRICE_DAYS;
      const variants = variantPrices(regular);
      for (let period = 0; period < periods; period++) {
        // Price periods repeat after 1,024, which is 255 years.
        const draw = random.uint32(Stream.Price, product * 1_024 + (firstPeriod + period) % 1_024);
        this.#prices[product * periods + period] = variants[draw % variants.length]!;
      }
    });
  }

  /** Returns the unit price of a product on a day of the year, in cents. */
  priceCents(product: number, day: number): number {
    const period = Math.floor((day + this.#elapsed[product]!) / PRICE_DAYS);
    return this.#prices[product * this.#periods + period]!;
  }
}
