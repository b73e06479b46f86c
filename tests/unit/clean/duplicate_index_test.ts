import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { DuplicateIndex, hashSaleId } from "../../../lib/clean/duplicate_index.ts";
import { SalesflowError } from "../../../lib/console/errors.ts";
import type { OnConflict } from "../../../lib/dataset/facts.ts";
import { BLANK, CANONICAL, CONFLICT, CONVERTED, DUPLICATE, REJECTED } from "../../../lib/clean/row_status.ts";

const SEED = 0x5eed;

interface Row {
  low: number;
  high: number;
  hashLow: number;
  hashHigh: number;
}

/** A range of accepted rows, every second one converted, with other lines between them. */
function makeRange(rows: readonly Row[]) {
  const statuses = rows.flatMap((
    _,
    index,
  ) => [index % 3 ? BLANK : REJECTED, index % 2 ? CONVERTED : CANONICAL]);
  return {
    statuses: Uint8Array.from(statuses),
    idLow: Uint32Array.from(rows, ({ low }) => low),
    idHigh: Uint32Array.from(rows, ({ high }) => high),
    hashLow: Uint32Array.from(rows, ({ hashLow }) => hashLow),
    hashHigh: Uint32Array.from(rows, ({ hashHigh }) => hashHigh),
  };
}

/** Returns the statuses of the rows of several ranges, in the order in which they are given. */
function markAll(ranges: readonly Row[][], expectedRows: number, keep?: OnConflict): number[] {
  const duplicates = new DuplicateIndex(expectedRows, SEED, keep);
  return ranges.flatMap((rows) => {
    const range = makeRange(rows);
    duplicates.markDuplicates(range);
    range.statuses.forEach((status, line) => {
      if (line % 2 === 0) assertEquals(status === BLANK || status === REJECTED, true);
    });
    return [...range.statuses.filter((_, line) => line % 2 === 1)];
  });
}

/** Returns the expected statuses, with a Map. */
function expectedStatuses(ranges: readonly Row[][], keep: OnConflict = "first"): number[] {
  const kept = new Map<string, string>();
  const inOrder = <T>(items: T[]) => keep === "first" ? items : items.toReversed();
  return ranges.flatMap((rows) => {
    const statuses = inOrder([...rows.entries()]).map(([index, { low, high, hashLow, hashHigh }]) => {
      const [id, content] = [`${high}:${low}`, `${hashHigh}:${hashLow}`];
      const before = kept.get(id);
      if (before === undefined) kept.set(id, content);
      if (before === undefined) return index % 2 ? CONVERTED : CANONICAL;
      return before === content ? DUPLICATE : CONFLICT;
    });
    return inOrder(statuses);
  });
}

/** Returns the first slot of an id in the smallest table. */
function firstSlot(low: number, high: number): number {
  return hashSaleId(low, high, SEED) & 1023;
}

/** Returns the inverse of an odd number modulo 2^32. */
function inverse(odd: number): number {
  let found = 1;
  for (let i = 0; i < 5; i++) found = Math.imul(found, 2 - Math.imul(odd, found));
  return found;
}

/** Inverts fmix32(), as an attacker could. */
function unfmix32(mixed: number): number {
  let bits = mixed ^ (mixed >>> 16);
  bits = Math.imul(bits, inverse(0xc2b2ae35));
  bits ^= (bits >>> 13) ^ (bits >>> 26);
  bits = Math.imul(bits, inverse(0x85ebca6b));
  return bits ^ (bits >>> 16);
}

describe("DuplicateIndex", () => {
  it("markDuplicates() agrees with a Map", () => {
    const half = fc.constantFrom(0, 1, 2, 2 ** 31, 2 ** 32 - 1);
    const row = fc.record({
      low: fc.oneof(half, fc.integer({ min: 0, max: 50 })),
      high: half,
      hashLow: fc.constantFrom(0, 1, 2 ** 32 - 1),
      hashHigh: fc.constantFrom(0, 5),
    }).filter(({ low, high }) => low !== 0 || high !== 0);
    fc.assert(
      fc.property(
        fc.array(fc.array(row, { maxLength: 40 }), { maxLength: 6 }),
        fc.nat(100),
        (ranges, expected) => {
          assertEquals(markAll(ranges, expected), expectedStatuses(ranges));
          assertEquals(markAll(ranges, expected, "last"), expectedStatuses(ranges, "last"));
        },
      ),
      { numRuns: 500 },
    );
  });

  it("markDuplicates() keeps the last row when ranges are added backwards", () => {
    const [a, b] = [{ low: 1, high: 0, hashLow: 1, hashHigh: 1 }, {
      low: 1,
      high: 0,
      hashLow: 2,
      hashHigh: 2,
    }];
    assertEquals(markAll([[a, b, a]], 0), [CANONICAL, CONFLICT, DUPLICATE]);
    assertEquals(markAll([[a, b, a]], 0, "last"), [DUPLICATE, CONFLICT, CANONICAL]);
    assertEquals(markAll([[b, a], [], [a, b]], 0, "last"), [CONFLICT, CONVERTED, DUPLICATE, CONFLICT]);
  });

  it("grows when there are more rows than expected", () => {
    const rows = Array.from({ length: 60_000 }, (_, index) => ({
      low: Math.imul(index + 1, 0x01000193) >>> 0,
      high: index % 7,
      hashLow: index,
      hashHigh: 0,
    }));
    for (const expected of [0, 1, 614, 615, 60_000]) {
      const statuses = markAll([rows, rows, rows.map((row) => ({ ...row, hashHigh: 1 }))], expected);
      assertEquals(
        statuses.slice(0, 60_000).every((status) => status === CANONICAL || status === CONVERTED),
        true,
      );
      assertEquals(statuses.slice(60_000, 120_000).every((status) => status === DUPLICATE), true);
      assertEquals(statuses.slice(120_000).every((status) => status === CONFLICT), true);
    }
  });

  it("distinguishes ids with the same first slot, also when it is the last slot", () => {
    for (const slot of [0, 1023]) {
      const rows: Row[] = [];
      for (let low = 1; rows.length < 300; low++) {
        if (firstSlot(low, 0) === slot) rows.push({ low, high: 0, hashLow: low, hashHigh: 0 });
      }
      assertEquals(markAll([rows, rows], 0), expectedStatuses([rows, rows]));
      const others = rows.map((row) => ({ ...row, hashLow: 0 }));
      assertEquals(markAll([rows, others], 0), expectedStatuses([rows, others]));
    }
  });

  const COUNT = 20_000;
  const CRAFTED: Record<string, (index: number) => [low: number, high: number]> = {
    "in order": (index) => [index, 0],
    "that differ only in the high half": (index) => [7, index],
    "that would collide if halves were multiplied and combined": (index) => [
      Math.imul(inverse(0x9e3779b1), 12345 ^ Math.imul(index, 0x85ebca77)) >>> 0,
      index,
    ],
    "that would collide without a seed": (index) => {
      // fmix32(fmix32(low) ^ high) is then fmix32(0) for all.
      return [index, unfmix32(hashSaleId(index, 0, 0)) >>> 0];
    },
  };
  for (const [name, idOf] of Object.entries(CRAFTED)) {
    it(`has few collisions for ids ${name}`, () => {
      const duplicates = new DuplicateIndex(COUNT, SEED);
      const ids = Array.from({ length: COUNT }, (_, index) => idOf(index + 1));
      duplicates.markDuplicates(
        makeRange(ids.map(([low, high]) => ({ low, high, hashLow: 0, hashHigh: 0 }))),
      );
      // Linear probing at a load factor of 0.6 passes less than one occupied slot on average (Knuth, volume 3, 6.4).
      assert(duplicates.collisions < 2 * COUNT, `${duplicates.collisions} collisions`);
    });
  }

  it("throws when there are more rows than it can hold", () => {
    const error = assertThrows(
      () => new DuplicateIndex(2_000_000_000, SEED),
      SalesflowError,
      "more sales than",
    );
    assertStringIncludes(error.remedy!, "Spark");
  });

  it("compares both halves of ids and hashes", () => {
    const row = { low: 5, high: 0, hashLow: 1, hashHigh: 1 };
    const rows = [row, { ...row, high: 5 }, { ...row, low: 0, high: 5 }, { ...row, hashLow: 2 }, {
      ...row,
      hashHigh: 2,
    }];
    assertEquals(markAll([rows], 0), [CANONICAL, CONVERTED, CANONICAL, CONFLICT, CONFLICT]);
  });
});
