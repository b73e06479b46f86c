import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { AliasTable } from "../../../lib/generate/alias_table.ts";

const GRID = 1 << 18;

describe("AliasTable", () => {
  const cases: number[][] = [
    [1],
    [1, 1],
    [1, 3],
    [0, 1, 0],
    [0.22, 0.28, 0.17, 0.33],
    Array.from({ length: 100 }, (_, rank) => 1 / (rank + 5)),
    [1e-9, 1, 1e9],
  ];
  for (const weights of cases) {
    it(`pick() returns each index with its share when the weights are ${weights.slice(0, 4).join(", ")} …`, () => {
      const table = new AliasTable(weights);
      const counts = new Uint32Array(weights.length);
      for (let at = 0; at < GRID; at++) counts[table.pick((at + 0.5) / GRID)]!++;
      const total = weights.reduce((sum, weight) => sum + weight);
      weights.forEach((weight, index) => {
        // Every column of the table has at most two boundaries, each misplaced by at most one step of the grid.
        const error = Math.abs(counts[index]! - GRID * weight / total);
        assert(error <= 2 * weights.length, `index ${index}: ${error}`);
        if (weight === 0) assertEquals(counts[index], 0);
      });
    });
  }

  it("pick() returns a valid index at both ends of [0, 1)", () => {
    const table = new AliasTable([1, 2, 3]);
    for (const unit of [0, (2 ** 32 - 1) / 2 ** 32]) assert([0, 1, 2].includes(table.pick(unit)));
  });

  it("constructor throws when the weights do not have a positive sum", () => {
    for (const weights of [[], [0], [0, 0], [NaN]]) assertThrows(() => new AliasTable(weights), RangeError);
  });
});
