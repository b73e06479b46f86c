/**
 * Customers of the shop. Each sale is either the first of a new customer, or follows an earlier sale of the same customer, so
 * that a customer's number of sales is a branching process. With three sales for each new customer, half of them buy only
 * once and a tenth places two fifths of the sales, as in the public data set CDNOW (an online shop). No I/O.
 */
import { YEAR_DAYS } from "../domain/dates.ts";
import { type Random, Stream } from "./random.ts";

/** Days to the next sale: a mixture of a soon and a late one, exponentially distributed with these means. */
const SOON_SHARE = 0.3;
const SOON_MEAN_DAYS = 12;
const LATE_MEAN_DAYS = 75;
const MAX_LAG_DAYS = 400;
const LAG_COUNT = 1_024;
/** Limits the time for shops with few new customers. */
const MAX_STEPS = 100;

/** Returns the share of lags up to a number of days. */
function lagDistribution(days: number): number {
  return SOON_SHARE * (1 - Math.exp(-days / SOON_MEAN_DAYS)) +
    (1 - SOON_SHARE) * (1 - Math.exp(-days / LATE_MEAN_DAYS));
}

/** Returns quantiles of the lag in days, evenly spaced. */
function lagQuantiles(): Float64Array {
  return Float64Array.from({ length: LAG_COUNT }, (_, index) => {
    let [low, high] = [0, MAX_LAG_DAYS];
    for (let step = 0; step < 40; step++) {
      const middle = (low + high) / 2;
      if (lagDistribution(middle) < (index + 0.5) / LAG_COUNT) low = middle;
      else high = middle;
    }
    return low;
  });
}

/** Customers by the key of a sale: a chronological number of the shop's sales. */
export class Customers {
  readonly #random: Random;
  readonly #salesPerCustomer: number;
  /** Share of sales that are the first of a new customer, times 2^32. */
  readonly #newShare: number;
  readonly #lags: Float64Array;

  /**
   * Prepares the lags.
   *
   * @param salesPerYear number of sales a year
   * @param newPerYear number of new customers a year
   * @param random source of all draws
   */
  constructor(salesPerYear: number, newPerYear: number, random: Random) {
    this.#random = random;
    this.#salesPerCustomer = Math.max(1, salesPerYear / newPerYear);
    this.#newShare = 2 ** 32 / this.#salesPerCustomer;
    this.#lags = lagQuantiles().map((days) => days * salesPerYear / YEAR_DAYS);
  }

  /**
   * Returns the customer of a sale: the key of their first sale. Each draw decides with its order whether a sale is the first
   * of a new customer, and with its low bits how long ago the one before was.
   */
  customerOf(key: number): number {
    const random = this.#random;
    for (let step = 0; step < MAX_STEPS; step++) {
      const draw = random.uint32(Stream.Customer, key);
      if (draw < this.#newShare) return key;
      const days = this.#lags[draw & (LAG_COUNT - 1)]!;
      const earlier = key - 1 - Math.floor(days * (0.95 + (draw >>> 10 & 0xfff) / 40_960));
      if (earlier < 0) return key;
      key = earlier;
    }
    // A shop with few new customers: the chain is cut, and its sales of about the same time share a customer.
    return Math.ceil(Math.floor(key / this.#salesPerCustomer) * this.#salesPerCustomer);
  }
}
