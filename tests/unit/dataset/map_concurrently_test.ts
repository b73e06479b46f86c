import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { mapConcurrently } from "../../../lib/dataset/map_concurrently.ts";

const ITEMS = Array.from({ length: 40 }, (_, index) => index);
const yieldToEventLoop = () => new Promise((resolve) => setTimeout(resolve));

describe("mapConcurrently()", () => {
  it("returns the results in the order of the items, however long each takes", async () => {
    const results = await mapConcurrently(ITEMS, async (item) => {
      for (let turns = item % 3; turns > 0; turns--) await yieldToEventLoop();
      return item * 2;
    });
    assertEquals(results, ITEMS.map((item) => item * 2));
    assertEquals(await mapConcurrently([], () => Promise.resolve(1)), []);
  });

  it("runs at most 16 at a time", async () => {
    let [running, max] = [0, 0];
    await mapConcurrently(ITEMS, async () => {
      max = Math.max(max, ++running);
      await yieldToEventLoop();
      running--;
    });
    assertEquals(max, 16);
  });

  it("throws the first error after all running work has finished, and starts no more", async () => {
    let [started, finished] = [0, 0];
    const work = async (item: number) => {
      started++;
      await yieldToEventLoop();
      if (item < 3) throw new Error(`item ${item}`);
      await yieldToEventLoop();
      finished++;
    };
    await assertRejects(() => mapConcurrently(ITEMS, work), Error, "item 0");
    assert(started < ITEMS.length, `${started} started`);
    assertEquals(finished, started - 3);
  });
});
