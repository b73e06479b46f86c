import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { SurrogateIndex } from "../../../../lib/ingest/chunks/surrogate_index.ts";
import { toSurrogateKey } from "../../../../lib/ingest/values/ids.ts";

/** Upper half of the first surrogate key. */
const HIGH = 2 ** 30;

/** Adds a number's text, as a thread would. */
function add(index: SurrogateIndex, number: number): boolean {
  const { high, low } = toSurrogateKey(`sku-${number}`);
  return index.add(high, low, Math.imul(number, 0x9e3779b1) >>> 0);
}

describe("SurrogateIndex", () => {
  it("knows each text after it was added once, while it grows", () => {
    const index = new SurrogateIndex();
    const numbers = Array.from({ length: 20_000 }, (_, number) => number);
    assertEquals(numbers.filter((number) => !add(index, number)), []);
    assertEquals(numbers.filter((number) => add(index, number)), []);
    assertEquals([index.size, index.suspects.size], [numbers.length, 0]);
  });

  it("suspects a key that two texts share, and does not take the second for known", () => {
    const index = new SurrogateIndex();
    const [a, b] = [0x10000, 0x20000];
    assertEquals([index.add(HIGH, 5, a), index.isSuspect(HIGH, 5)], [true, false]);
    assertEquals([index.add(HIGH, 5, b), [...index.suspects]], [true, [2n ** 62n + 5n]]);
    assertEquals([index.isSuspect(HIGH, 5), index.isSuspect(HIGH, 6)], [true, false]);
    assertEquals([index.add(HIGH, 5, a), index.add(HIGH, 5, b), index.size], [false, false, 2]);
  });

  it("tells keys apart that have their lower 32 bits, or only those above, in common", () => {
    const index = new SurrogateIndex();
    const keys = [[HIGH, 5], [HIGH + 1, 5], [HIGH + 1, 6]] as const;
    assertEquals(keys.map(([high, low], text) => index.add(high, low, text * 0x10000)), [true, true, true]);
    assertEquals([index.size, index.suspects.size], [3, 0]);
  });

  it("has room for a key and a text whose hashes are zero", () => {
    const index = new SurrogateIndex();
    assertEquals([1, 2].map(() => index.add(HIGH, 0, 0)), [true, false]);
    assertEquals(index.size, 1);
  });
});
