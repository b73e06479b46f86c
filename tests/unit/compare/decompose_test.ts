import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { type Group, splitProduct, splitProducts } from "../../../lib/compare/decompose.ts";

const group = (quantity: number, cents: number): Group => ({
  quantity: BigInt(quantity),
  cents: BigInt(cents),
});

describe("splitProduct()", () => {
  it("tells pieces from prices", () => {
    // 10 pieces at 1.00, then 12 at 1.10.
    assertEquals(splitProduct(group(10, 1_000), group(12, 1_320)), {
      change: 320n,
      quantity: 200n,
      price: 120n,
      mix: 0n,
    });
  });

  it("takes a product that came or went for mix", () => {
    assertEquals(splitProduct(undefined, group(1, 500)), {
      change: 500n,
      quantity: 0n,
      price: 0n,
      mix: 500n,
    });
    assertEquals(splitProduct(group(1, 500), undefined), {
      change: -500n,
      quantity: 0n,
      price: 0n,
      mix: -500n,
    });
  });
});

describe("splitProducts()", () => {
  it("is mix when the same number of pieces at the same prices are dearer ones", () => {
    const before = new Map([["cheap", group(10, 1_000)], ["dear", group(10, 10_000)]]);
    const after = new Map([["cheap", group(5, 500)], ["dear", group(15, 15_000)]]);
    assertEquals(splitProducts(before, after), { change: 4_500n, quantity: 0n, price: 0n, mix: 4_500n });
  });

  it("is quantity when everything doubles, and price when everything is a tenth dearer", () => {
    const before = new Map([["a", group(3, 999)], ["b", group(7, 5_001)]]);
    const twice = new Map([["a", group(6, 1_998)], ["b", group(14, 10_002)]]);
    assertEquals(splitProducts(before, twice), { change: 6_000n, quantity: 6_000n, price: 0n, mix: 0n });
    const dearer = new Map([["a", group(3, 1_099)], ["b", group(7, 5_501)]]);
    assertEquals(splitProducts(before, dearer), { change: 600n, quantity: 0n, price: 600n, mix: 0n });
  });

  it("adds up to the change, always", () => {
    const groups = fc.dictionary(
      fc.constantFrom("a", "b", "c", "d"),
      fc.record({ quantity: fc.bigInt(1n, 10n ** 9n), cents: fc.bigInt(1n, 10n ** 15n) }),
    ).map((each) => new Map(Object.entries(each)));
    const sum = (map: Map<string, Group>) =>
      [...map.values()].reduce((total, { cents }) => total + cents, 0n);
    fc.assert(
      fc.property(groups, groups, (before, after) => {
        const { change, quantity, price, mix } = splitProducts(before, after);
        assertEquals(change, sum(after) - sum(before));
        assertEquals(quantity + price + mix, change);
        for (const key of new Set([...before.keys(), ...after.keys()])) {
          const product = splitProduct(before.get(key), after.get(key));
          assertEquals(product.quantity + product.price + product.mix, product.change);
        }
        assert(before.size > 0 || (quantity === 0n && price === 0n));
      }),
    );
  });
});
