/**
 * Random sales that are hard to sum, divide and rank, for the tests of both engines. As a program,
 * `drawn_sales.ts SEED CASES_PER_KIND` prints cases with the expected aggregates as JSON.
 */
import fc from "fast-check";
import { fromCents, toCents } from "../../lib/domain/money.ts";
import { REGIONS } from "../../lib/domain/sale.ts";
import { recountWeighted } from "../integration/tables/recount.ts";

/** A sale and the number of times it occurs. A product_id above 2^53 is a string. */
export type WeightedSale = [
  region: string,
  productId: number | string,
  quantity: number,
  saleAmount: string,
  weight: number,
];

/** Random sales of one kind. */
export interface DrawnCase {
  kind: string;
  sales: WeightedSale[];
}

/** Number of sales of a heavy case, unless their sum would overflow its column. */
export const HEAVY_SALES = 1_000_000_000;
/** 999999999999.99, the largest amount of a sale. */
const MAX_CENTS = 99_999_999_999_999n;
/** 9999999999999999.99, the largest sum that shop.sales_aggregates holds. */
export const MAX_SUM_CENTS = 999_999_999_999_999_999n;
/** The largest quantity. */
const MAX_INTEGER = 2_147_483_647;

const region = fc.constantFrom<string>(...REGIONS);
// Numbers from 2^53 on that are the same as doubles, and the largest one.
const product = fc.oneof(
  fc.integer({ min: 1, max: 12 }),
  fc.constantFrom<number | string>(9, 10, "9007199254740992", "9007199254740993", "9223372036854775807"),
);
const quantity = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constant(MAX_INTEGER));
/** Amounts whose number of digits is uniform. */
const magnitudes = fc.tuple(fc.bigInt({ min: 1n, max: MAX_CENTS - 1n }), fc.integer({ min: 1, max: 14 }))
  .map(([amount, digits]) => amount % 10n ** BigInt(digits) || 1n);
const cents = fc.oneof(
  magnitudes,
  fc.constantFrom(1n, 5n, 50n, MAX_CENTS - 1n, MAX_CENTS),
);
/** Pairs of region and product: equal sums for all pairs tie at every level. */
const grid = fc.tuple(
  fc.subarray<string>([...REGIONS], { minLength: 1 }),
  fc.uniqueArray(product, { minLength: 1, maxLength: 4 }),
).map(([regions, products]) =>
  regions.flatMap((region) => products.map((product) => [region, product] as const))
);

function drawn(kind: string, sales: fc.Arbitrary<WeightedSale[]>): fc.Arbitrary<DrawnCase> {
  return sales.map((sales) => ({ kind, sales }));
}

const anything = drawn(
  "anything",
  fc.array(
    fc.tuple(region, product, quantity, cents.map(fromCents), fc.integer({ min: 1, max: 5 })),
    { maxLength: 30 },
  ),
);

const one = drawn(
  "one sale",
  fc.tuple(region, product, quantity, cents.map(fromCents), fc.constant(1)).map((sale) => [sale]),
);

/** Equal sums for all pairs from different numbers of sales; sometimes one pair has a kopeck more. */
const ties = drawn(
  "ties",
  fc.tuple(
    grid,
    fc.bigInt({ min: 1n, max: MAX_CENTS / 12n }),
    fc.array(fc.constantFrom(1, 2, 3, 4, 6, 12), { minLength: 3, maxLength: 7 }),
    fc.boolean(),
  )
    .map(([places, twelfth, numbers, nudged]) => {
      const sales = places.map(([region, product], index): WeightedSale => {
        const weight = numbers[index % numbers.length]!;
        return [region, product, 1, fromCents(twelfth * 12n / BigInt(weight)), weight];
      });
      const [region, product] = places.at(-1)!;
      return nudged ? [...sales, [region, product, 1, "0.01", 1]] : sales;
    }),
);

/** Averages exactly halfway between two kopecks, or slightly below. */
const halves = drawn(
  "averages at half a kopeck",
  fc.array(
    fc.tuple(
      region,
      product,
      magnitudes,
      fc.integer({ min: 1, max: 3 }),
      fc.boolean(),
    ),
    { minLength: 1, maxLength: 6 },
  ).map((pairs) =>
    pairs.flatMap(([region, product, low, weight, less]): WeightedSale[] => [
      [region, product, 1, fromCents(low), weight + Number(less)],
      [region, product, 2, fromCents(low + 1n), weight],
    ])
  ),
);

/** Two products, the first with a share exactly halfway between two millionths, or a kopeck less. */
const shares = drawn(
  "shares at half a millionth",
  fc.tuple(
    region,
    region,
    fc.bigInt({ min: 1n, max: 10_000_000n }),
    fc.bigInt({ min: 0n, max: 999_999n }),
    fc.boolean(),
  )
    .map(([first, second, unit, millionths, less]): WeightedSale[] => {
      const part = (2n * millionths + 1n) * unit - (less && unit > 1n ? 1n : 0n);
      return [
        [first, 1, 1, fromCents(part), 1],
        [second, 2, 1, fromCents(2_000_000n * unit - part), 1],
      ];
    }),
);

/** Many sales of one amount, evenly distributed: thirds, sevenths … */
const alike = drawn(
  "one amount",
  fc.tuple(grid, cents, quantity, fc.integer({ min: 1, max: 60 })).map(([places, amount, quantity, weight]) =>
    places.map(([region, product]): WeightedSale => [region, product, quantity, fromCents(amount), weight])
  ),
);

const KINDS = [anything, one, ties, halves, shares, alike];
/** A few weighted sales, at most a thousand in total. */
export const lightCase = fc.oneof(...KINDS);

/** Returns the number and the sum of weighted sales. */
export function sumOf(sales: readonly WeightedSale[]): { sales: number; cents: bigint } {
  return {
    sales: sales.reduce((sum, [, , , , weight]) => sum + weight, 0),
    cents: sales.reduce((sum, [, , , amount, weight]) => sum + toCents(amount) * BigInt(weight), 0n),
  };
}

/** Scales the weights up to 10⁹ sales or to the maximum sum, whichever comes first, leaving room for `more`. */
function heavy({ kind, sales }: DrawnCase, more: WeightedSale[]): DrawnCase {
  const [sum, rest] = [sumOf(sales), sumOf(more)];
  if (sum.sales === 0) return { kind, sales };
  const bySales = Math.floor((HEAVY_SALES - rest.sales) / sum.sales);
  const times = Math.min(bySales, Number((MAX_SUM_CENTS - rest.cents) / sum.cents));
  const weighted = sales.map(([region, product, quantity, amount, weight]): WeightedSale => [
    region,
    product,
    quantity,
    amount,
    weight * times,
  ]);
  return { kind: `${kind}, by weight`, sales: [...weighted, ...more] };
}

/** Sales added to a heavy case, which move it slightly away from halves and ties. */
const EXTRAS: readonly ((sales: readonly WeightedSale[]) => WeightedSale[])[] = [
  () => [],
  (sales) =>
    sales.slice(0, 1).map(([region, product, quantity, amount]) => [region, product, quantity, amount, 1]),
  (sales) => sales.slice(-1).map(([region, product]) => [region, product, 1, "0.01", 1]),
];

function heavyCases(light: fc.Arbitrary<DrawnCase>): fc.Arbitrary<DrawnCase> {
  return fc.tuple(light, fc.constantFrom(...EXTRAS)).map(([drawn, extra]) =>
    heavy(drawn, extra(drawn.sales))
  );
}

/** Up to 10⁹ sales whose sum fits into its column. */
export const heavyCase = heavyCases(lightCase);

if (import.meta.main) {
  const [seed, numRuns] = Deno.args.map(Number);
  if (!Number.isInteger(seed) || !Number.isInteger(numRuns)) {
    console.error("Usage: drawn_sales.ts SEED CASES_PER_KIND");
    Deno.exit(2);
  }
  const draw = (kinds: fc.Arbitrary<DrawnCase>[]) =>
    kinds.flatMap((kind) => fc.sample(kind, { seed: seed!, numRuns: numRuns! }))
      .map(({ kind, sales }) => ({ kind, sales, expected: recountWeighted(sales) }));
  console.log(JSON.stringify({ light: draw(KINDS), heavy: draw(KINDS.map(heavyCases)) }));
}
