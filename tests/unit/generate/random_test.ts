import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Random, Stream } from "../../../lib/generate/random.ts";

const STREAMS = Object.values(Stream).filter((value): value is Stream => typeof value === "number");
const DRAWS = 1 << 16;

/** Returns the chi-square statistic of counts against a uniform distribution, in standard deviations from its mean. */
function deviation(counts: ArrayLike<number>): number {
  const total = Array.from(counts).reduce((sum, count) => sum + count);
  const expected = total / counts.length;
  const square = Array.from(counts).reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  const freedom = counts.length - 1;
  return (square - freedom) / Math.sqrt(2 * freedom);
}

/** Counts pairs of 4-bit draws in a 16 × 16 table. */
function countPairs(left: (index: number) => number, right: (index: number) => number): Uint32Array {
  const counts = new Uint32Array(256);
  for (let index = 0; index < DRAWS; index++) counts[(left(index) >>> 28) * 16 + (right(index) >>> 28)]!++;
  return counts;
}

// The seeds are fixed, so the tests are deterministic; a good generator stays within 5 standard deviations.
const MAX_DEVIATION = 5;

describe("Random", () => {
  const random = new Random(20261124);

  it("uint32() is uniform in the high and in the low bits of every stream", () => {
    for (const stream of STREAMS) {
      const high = new Uint32Array(256);
      const low = new Uint32Array(256);
      for (let index = 0; index < DRAWS; index++) {
        const value = random.uint32(stream, index);
        high[value >>> 24]!++;
        low[value & 0xff]!++;
      }
      assert(Math.abs(deviation(high)) < MAX_DEVIATION, `${Stream[stream]}, high bits: ${deviation(high)}`);
      assert(Math.abs(deviation(low)) < MAX_DEVIATION, `${Stream[stream]}, low bits: ${deviation(low)}`);
    }
  });

  it("uint32() is independent of the previous index", () => {
    for (const stream of STREAMS) {
      const counts = countPairs(
        (index) => random.uint32(stream, index),
        (index) => random.uint32(stream, index + 1),
      );
      assert(Math.abs(deviation(counts)) < MAX_DEVIATION, `${Stream[stream]}: ${deviation(counts)}`);
    }
  });

  it("uint32() is independent between any two streams", () => {
    for (const left of STREAMS) {
      for (const right of STREAMS.slice(left + 1)) {
        const counts = countPairs(
          (index) => random.uint32(left, index),
          (index) => random.uint32(right, index),
        );
        assert(
          Math.abs(deviation(counts)) < MAX_DEVIATION,
          `${Stream[left]}, ${Stream[right]}: ${deviation(counts)}`,
        );
      }
    }
  });

  it("uint32() is independent between seeds that differ little, in the low or in the high half", () => {
    const seed = 7;
    for (const other of [6, 8, 7 + 2 ** 31, 7 + 2 ** 32, 7 + 2 ** 52]) {
      const [first, second] = [new Random(seed), new Random(other)];
      const counts = countPairs(
        (index) => first.uint32(Stream.Customer, index),
        (index) => second.uint32(Stream.Customer, index),
      );
      assert(Math.abs(deviation(counts)) < MAX_DEVIATION, `${seed}, ${other}: ${deviation(counts)}`);
    }
  });

  it("uint32() depends only on seed, stream and index", () => {
    const forwards = Array.from({ length: 100 }, (_, index) => new Random(5).uint32(Stream.Product, index));
    const again = new Random(5);
    const backwards = forwards.map((_, index) => again.uint32(Stream.Product, 99 - index));
    assertEquals(backwards.toReversed(), forwards);
  });

  it("unit() and below() return numbers within their ranges", () => {
    for (const index of [0, 1, 2 ** 31, 2 ** 32 - 1]) {
      for (const seed of [0, 1, Number.MAX_SAFE_INTEGER]) {
        const seeded = new Random(seed);
        const unit = seeded.unit(Stream.Price, index);
        assert(unit >= 0 && unit < 1);
        assertEquals(Math.floor(unit * 2 ** 32), seeded.uint32(Stream.Price, index));
        for (const limit of [1, 2, 1000]) {
          const value = seeded.below(limit, Stream.Price, index);
          assert(Number.isInteger(value) && value >= 0 && value < limit);
        }
      }
    }
  });
});
