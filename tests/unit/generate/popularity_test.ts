import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { makeCatalogue } from "../../../lib/generate/catalogue.ts";
import { popularityWeights, PRICE_CORRELATION, rankCorrelation } from "../../../lib/generate/popularity.ts";
import { Random } from "../../../lib/generate/random.ts";

function weightsOf(size: number, seed: number) {
  const prices = Int32Array.from(makeCatalogue(size, seed), ({ priceCents }) => priceCents);
  return { prices, weights: popularityWeights(prices, () => 1, new Random(seed)) };
}

describe("rankCorrelation()", () => {
  it("is 1 for the same order, −1 for the reverse, and between for others", () => {
    assertEquals(rankCorrelation([1, 5, 9], [10, 20, 30]), 1);
    assertEquals(rankCorrelation([1, 5, 9], [3, 2, 1]), -1);
    // Ranks 0 1 2 3 against 1 0 3 2: 1 − 6 × 4 / 60.
    assertEquals(rankCorrelation([1, 2, 3, 4], [20, 10, 40, 30]).toFixed(12), "0.600000000000");
  });
});

describe("popularityWeights()", () => {
  for (const size of [20, 500, 3_000, 20_000]) {
    it(`sells expensive products of ${size} less often, as much as intended`, () => {
      for (const seed of [1, 2, 3]) {
        const { prices, weights } = weightsOf(size, seed);
        const found = rankCorrelation(prices, weights);
        // Limits of the best product move the most popular products of a small catalogue.
        const tolerance = size < 100 ? 0.15 : 0.03;
        assert(Math.abs(found - PRICE_CORRELATION) < tolerance, `seed ${seed}: ${found}`);
      }
    });
  }

  it("limits the revenue of the best product on both sides", () => {
    for (let seed = 0; seed < 30; seed++) {
      const { prices, weights } = weightsOf(500, seed);
      const revenues = weights.map((weight, product) => weight * prices[product]!);
      const best = Math.max(...revenues) / revenues.reduce((sum, revenue) => sum + revenue, 0);
      assert(best > 0.0299 && best < 0.0551, `seed ${seed}: ${best}`);
    }
  });

  for (const size of [1, 2, 3, 10]) {
    it(`returns positive weights for ${size} products`, () => {
      for (const weight of weightsOf(size, 4).weights) assert(weight > 0 && Number.isFinite(weight));
    });
  }
});
