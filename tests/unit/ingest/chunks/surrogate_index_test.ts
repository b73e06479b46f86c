import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import xxhash from "xxhash-wasm";
import { SurrogateIndex } from "../../../../lib/ingest/chunks/surrogate_index.ts";
import { FIRST_SURROGATE_KEY, toSurrogateKey } from "../../../../lib/ingest/values/ids.ts";

const { h32 } = await xxhash();

describe("SurrogateIndex", () => {
  it("knows each text after it was added once, while it grows", () => {
    const index = new SurrogateIndex(7);
    const texts = Array.from({ length: 20_000 }, (_, number) => `sku-${number}`);
    assertEquals(texts.filter((text) => !index.add(toSurrogateKey(text), text)), []);
    assertEquals(texts.filter((text) => index.add(toSurrogateKey(text), text)), []);
    assertEquals([index.size, index.suspects.size], [texts.length, 0]);
  });

  it("suspects a key that two texts share, and does not take the second for known", () => {
    const index = new SurrogateIndex(7);
    const key = FIRST_SURROGATE_KEY + 5n;
    assertEquals([index.add(key, "a"), index.suspects.size], [true, 0]);
    assertEquals([index.add(key, "b"), [...index.suspects]], [true, [key]]);
    assertEquals([index.add(key, "a"), index.add(key, "b"), index.size], [false, false, 2]);
  });

  it("tells keys apart that have their lower 32 bits, or only those above, in common", () => {
    const index = new SurrogateIndex(7);
    const keys = [5n, 5n + 2n ** 32n, 6n + 2n ** 32n].map((rest) => FIRST_SURROGATE_KEY + rest);
    assertEquals(keys.map((key) => index.add(key, `${key}`)), [true, true, true]);
    assertEquals([index.size, index.suspects.size], [3, 0]);
  });

  it("has room for a key and a text whose hashes are zero", () => {
    let seed = 0;
    while (h32("zero", seed) >>> 16 !== 0) seed++;
    const index = new SurrogateIndex(seed);
    assertEquals([1, 2].map(() => index.add(FIRST_SURROGATE_KEY, "zero")), [true, false]);
    assertEquals(index.size, 1);
  });
});
