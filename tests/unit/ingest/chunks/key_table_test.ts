import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { KeyTable } from "../../../../lib/ingest/chunks/key_table.ts";

describe("KeyTable", () => {
  it("keeps the number of each key while it grows, also of keys that share one half", () => {
    const table = new KeyTable();
    const expected = new Map<string, number>();
    for (let round = 0; round < 2; round++) {
      for (let low = 0; low < 100; low++) {
        for (let high = 0; high < 100; high++) {
          // The lower bits of all keys are the same, so that they compete for the same slots.
          const key: [number, number] = [(low << 25) >>> 0, high];
          const slot = table.slotOf(...key);
          assertEquals(table.get(slot), expected.get(key.join()) ?? 0);
          const number = 1 + (low * 100 + high) * (round + 1);
          table.set(slot, ...key, number);
          expected.set(key.join(), number);
        }
      }
    }
  });

  it("has no number for a key that was only looked for", () => {
    const table = new KeyTable();
    for (let key = 0; key < 10_000; key++) assertEquals(table.get(table.slotOf(key, key)), 0);
  });
});
