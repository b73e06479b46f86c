/** Popularity of products: a Zipf-like law, less for expensive products, and no product that carries the shop. No I/O. */
import { type Random, Stream } from "./random.ts";

/** A product of rank r has the popularity 1 / (r + offset)^exponent: the Zipf–Mandelbrot law (1953). */
export const ZIPF_EXPONENT = 0.9;
const ZIPF_OFFSET = 4;
/**
 * Rank correlation of price and popularity. Among the 500 best sellers of the retailer in the public data set "The Complete
 * Journey" it is −0.19.
 */
export const PRICE_CORRELATION: number = -0.22;
/** Of larger catalogues, a random sample is as close as a search. */
const MAX_SEARCHED_SIZE = 5_000;
const MIN_SEARCHED_SIZE = 20;
const SEARCH_STEPS = 12;
/** Share of the revenue that the best product brings. */
const MIN_BEST_SHARE = 0.03;
const MAX_BEST_SHARE = 0.055;
/** In small catalogues, the best product brings at most this many times the average. */
const MAX_BEST_RATIO = 3;

/** Returns the ranks of values, from 0; equal values by index. */
function ranksOf(values: ArrayLike<number>): Uint32Array {
  const order = Uint32Array.from({ length: values.length }, (_, index) => index);
  order.sort((a, b) => values[a]! - values[b]! || a - b);
  const ranks = new Uint32Array(values.length);
  order.forEach((index, rank) => ranks[index] = rank);
  return ranks;
}

/** Returns the correlation of two permutations of ranks: Spearman (1904). */
export function rankCorrelation(first: ArrayLike<number>, second: ArrayLike<number>): number {
  const [left, right] = [ranksOf(first), ranksOf(second)];
  const size = left.length;
  let squares = 0;
  for (let index = 0; index < size; index++) squares += (left[index]! - right[index]!) ** 2;
  return 1 - 6 * squares / (size * (size * size - 1));
}

/** Returns the popularity rank of each product, 0 for the most popular, correlated with its price. */
function popularityRanks(prices: Int32Array, random: Random): Uint32Array {
  const size = prices.length;
  const priceRanks = ranksOf(prices);
  const chance = ranksOf(Uint32Array.from(prices, (_, product) => random.uint32(Stream.Popularity, product)));
  const ranksFor = (share: number) =>
    ranksOf(
      Float64Array.from(
        prices,
        (_, product) => share * priceRanks[product]! + (1 - share) * chance[product]!,
      ),
    );
  // For independent uniform values, the correlation of the sum with the first is share / √(share² + (1 − share)²).
  const target = -PRICE_CORRELATION;
  const ratio = target / Math.sqrt(1 - target * target);
  let share = ratio / (1 + ratio);
  if (size >= MIN_SEARCHED_SIZE && size <= MAX_SEARCHED_SIZE) {
    let [low, high] = [0, 1];
    for (let step = 0; step < SEARCH_STEPS; step++) {
      share = (low + high) / 2;
      if (rankCorrelation(priceRanks, ranksFor(share)) < target) low = share;
      else high = share;
    }
  }
  return ranksFor(share);
}

/**
 * Returns the popularity of each product, proportional to its number of sales.
 *
 * @param prices regular price of each product, in cents
 * @param meanQuantity average number of pieces of a sale, by product
 * @param random source of the ranks
 */
export function popularityWeights(
  prices: Int32Array,
  meanQuantity: (product: number) => number,
  random: Random,
): Float64Array {
  const weights = Float64Array.from(
    popularityRanks(prices, random),
    (rank) => 1 / Math.pow(rank + 1 + ZIPF_OFFSET, ZIPF_EXPONENT),
  );
  const saleCents = Float64Array.from(prices, (price, product) => price * meanQuantity(product));
  const revenues = weights.map((weight, product) => weight * saleCents[product]!);
  limitBest(revenues);
  return revenues.map((revenue, product) => revenue / saleCents[product]!);
}

/** Changes the largest numbers so that the largest share lies within its bounds. */
function limitBest(revenues: Float64Array): void {
  const size = revenues.length;
  const maxShare = Math.max(MAX_BEST_SHARE, MAX_BEST_RATIO / size);
  if (maxShare >= 1) return;
  const order = Array.from(revenues.keys()).sort((a, b) => revenues[b]! - revenues[a]! || a - b);
  let rest = revenues.reduce((sum, revenue) => sum + revenue, 0);
  // The first `count` products get exactly the maximum; the fewest that suffice.
  let count = 0;
  let limit = Infinity;
  while (count < size) {
    limit = rest * maxShare / (1 - count * maxShare);
    if (revenues[order[count]!]! <= limit) break;
    rest -= revenues[order[count++]!]!;
  }
  for (const product of order.slice(0, count)) revenues[product] = limit;
  const best = order[0]!;
  const others = revenues.reduce((sum, revenue) => sum + revenue, 0) - revenues[best]!;
  revenues[best] = Math.max(revenues[best]!, others * MIN_BEST_SHARE / (1 - MIN_BEST_SHARE));
}
