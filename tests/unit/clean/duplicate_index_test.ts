import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { DuplicateIndex, slotBits } from "../../../lib/clean/duplicate_index.ts";
import { SalesflowError } from "../../../lib/console/errors.ts";
import { BLANK, CANONICAL, CONFLICT, CONVERTED, DUPLICATE, REJECTED } from "../../../lib/clean/row_status.ts";

const SEED = 0x5eed;

interface Row {
  low: number;
  high: number;
  hashLow: number;
  hashHigh: number;
}

/** A range of accepted rows, every second one converted, with lines between them that are no rows. */
function validated(rows: readonly Row[]) {
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

/** Verdicts of the rows in several ranges. */
function take(ranges: readonly Row[][], expectedRows: number): number[] {
  const seen = new DuplicateIndex(expectedRows, SEED);
  return ranges.flatMap((rows) => {
    const range = validated(rows);
    seen.markDuplicates(range);
    range.statuses.forEach((status, line) => {
      if (line % 2 === 0) assertEquals(status === BLANK || status === REJECTED, true);
    });
    return [...range.statuses.filter((_, line) => line % 2 === 1)];
  });
}

/** The same with a Map. */
function byMap(ranges: readonly Row[][]): number[] {
  const first = new Map<string, string>();
  return ranges.flatMap((rows) =>
    rows.map(({ low, high, hashLow, hashHigh }, index) => {
      const [id, content] = [`${high}:${low}`, `${hashHigh}:${hashLow}`];
      const before = first.get(id);
      if (before === undefined) first.set(id, content);
      if (before === undefined) return index % 2 ? CONVERTED : CANONICAL;
      return before === content ? DUPLICATE : CONFLICT;
    })
  );
}

/** Where an id belongs in the smallest table. */
function bucket(low: number, high: number): number {
  return slotBits(low, high, SEED) & 1023;
}

/** The inverse of an odd number modulo 2^32. */
function inverse(odd: number): number {
  let found = 1;
  for (let i = 0; i < 5; i++) found = Math.imul(found, 2 - Math.imul(odd, found));
  return found;
}

/** What finish() of the table made of, so that an attacker could undo it. */
function unfinish(mixed: number): number {
  let bits = mixed ^ (mixed >>> 16);
  bits = Math.imul(bits, inverse(0xc2b2ae35));
  bits ^= (bits >>> 13) ^ (bits >>> 26);
  bits = Math.imul(bits, inverse(0x85ebca6b));
  return bits ^ (bits >>> 16);
}

describe("DuplicateIndex", () => {
  it("agrees with a Map", () => {
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
          assertEquals(take(ranges, expected), byMap(ranges));
        },
      ),
      { numRuns: 500 },
    );
  });

  it("grows as often as needed when there are more rows than expected", () => {
    const rows = Array.from({ length: 60_000 }, (_, index) => ({
      low: Math.imul(index + 1, 0x01000193) >>> 0,
      high: index % 7,
      hashLow: index,
      hashHigh: 0,
    }));
    for (const expected of [0, 1, 614, 615, 60_000]) {
      const statuses = take([rows, rows, rows.map((row) => ({ ...row, hashHigh: 1 }))], expected);
      assertEquals(
        statuses.slice(0, 60_000).every((status) => status === CANONICAL || status === CONVERTED),
        true,
      );
      assertEquals(statuses.slice(60_000, 120_000).every((status) => status === DUPLICATE), true);
      assertEquals(statuses.slice(120_000).every((status) => status === CONFLICT), true);
    }
  });

  it("tells ids apart that fall into the same bucket, the last one too", () => {
    for (const wanted of [0, 1023]) {
      const rows: Row[] = [];
      for (let low = 1; rows.length < 300; low++) {
        if (bucket(low, 0) === wanted) rows.push({ low, high: 0, hashLow: low, hashHigh: 0 });
      }
      assertEquals(take([rows, rows], 0), byMap([rows, rows]));
      const others = rows.map((row) => ({ ...row, hashLow: 0 }));
      assertEquals(take([rows, others], 0), byMap([rows, others]));
    }
  });

  const COUNT = 20_000;
  const CRAFTED: Record<string, (index: number) => [low: number, high: number]> = {
    "in order": (index) => [index, 0],
    "that differ in their high half only": (index) => [7, index],
    "that met when halves were multiplied and combined": (index) => [
      Math.imul(inverse(0x9e3779b1), 12345 ^ Math.imul(index, 0x85ebca77)) >>> 0,
      index,
    ],
    "that meet without a seed": (index) => {
      // finish(finish(low) ^ high) is then finish(0) for all.
      return [index, unfinish(slotBits(index, 0, 0)) >>> 0];
    },
  };
  for (const [name, idOf] of Object.entries(CRAFTED)) {
    it(`finds slots without detours for ids ${name}`, () => {
      const seen = new DuplicateIndex(COUNT, SEED);
      const ids = Array.from({ length: COUNT }, (_, index) => idOf(index + 1));
      seen.markDuplicates(validated(ids.map(([low, high]) => ({ low, high, hashLow: 0, hashHigh: 0 }))));
      // Linear probing at a load of 0.6 takes less than one detour on average (Knuth, volume 3, 6.4).
      assert(seen.detours < 2 * COUNT, `${seen.detours} detours`);
    });
  }

  it("says so when there are more rows than it can hold", () => {
    const error = assertThrows(
      () => new DuplicateIndex(2_000_000_000, SEED),
      SalesflowError,
      "more sales than",
    );
    assertStringIncludes(error.remedy!, "Spark");
  });

  it("takes both halves of an id and of a hash into account", () => {
    const row = { low: 5, high: 0, hashLow: 1, hashHigh: 1 };
    const rows = [row, { ...row, high: 5 }, { ...row, low: 0, high: 5 }, { ...row, hashLow: 2 }, {
      ...row,
      hashHigh: 2,
    }];
    assertEquals(take([rows], 0), [CANONICAL, CONVERTED, CANONICAL, CONFLICT, CONFLICT]);
  });
});
