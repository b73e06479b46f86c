import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { compareImports } from "../../../lib/compare/comparison.ts";
import type { Group } from "../../../lib/compare/decompose.ts";
import type { Import, ImportGroups } from "../../../lib/compare/imports.ts";

const WEEK: Import = { date: "2026-11-17", runId: "a", sales: 1n, quantity: 1n, cents: 1n, averageCents: 1n };

/** An import of products in one region: pieces and cents by product. */
function groups(region: string, products: Record<string, [quantity: number, cents: number]>): ImportGroups {
  const map = new Map(
    Object.entries(products).map(([key, [quantity, cents]]): [string, Group] => [
      key,
      { quantity: BigInt(quantity), cents: BigInt(cents) },
    ]),
  );
  return { products: map, regions: new Map([[region, map]]) };
}

describe("compareImports()", () => {
  it("compares regions and products that came, went and stayed, the largest change first", () => {
    const { regions, products, total, hasUsual } = compareImports(
      [WEEK, groups("North", { 1: [10, 1_000], 2: [1, 50] })],
      [WEEK, groups("South", { 1: [12, 1_320], 3: [1, 70] })],
    );
    assertEquals(regions.map(({ key, before, after, change, mix }) => [key, before, after, change, mix]), [
      ["North", 1_050n, undefined, -1_050n, -1_050n + 1_050n],
      ["South", undefined, 1_390n, 1_390n, 1_390n],
    ]);
    assertEquals(products.map(({ key, change }) => [key, change]), [["1", 320n], ["3", 70n], ["2", -50n]]);
    assertEquals([total.change, hasUsual], [340n, false]);
  });

  it("marks what stands out among many products, whatever they cost", () => {
    const before: Record<string, [number, number]> = {};
    const after: Record<string, [number, number]> = {};
    for (let product = 1; product <= 20; product++) {
      const price = product * 1_000;
      before[product] = [100, 100 * price];
      after[product] = [100 + product % 5, (100 + product % 5) * price];
    }
    after[3] = [300, 300 * 3_000];
    const { products, hasUsual } = compareImports([WEEK, groups("North", before)], [
      WEEK,
      groups("North", after),
    ]);
    assertEquals([hasUsual, products.filter(({ unusual }) => unusual).map(({ key }) => key)], [true, ["3"]]);
  });
});
