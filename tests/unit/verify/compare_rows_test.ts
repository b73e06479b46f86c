import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { MAX_DIFFERENCES } from "../../../lib/verify/checks.ts";
import { compareKeys, compareRows, type KeyedRow } from "../../../lib/verify/compare_rows.ts";

/** Yields a row for each text, in batches of `size`; the number at the start of the text is the key. */
async function* rows(texts: string[], size = 2): AsyncGenerator<KeyedRow[]> {
  for (let at = 0; at < texts.length; at += size) {
    yield await Promise.resolve(texts.slice(at, at + size).map((text) => ({ key: [parseInt(text)], text })));
  }
}

describe("compareKeys()", () => {
  it("orders by the first value that differs, and 64-bit numbers that are the same as doubles", () => {
    const keys: KeyedRow["key"][] = [
      ["a", 2],
      ["a", 10],
      ["b", 1n],
      ["b", 9007199254740992n],
      ["b", 9007199254740993n],
    ];
    for (const [i, left] of keys.entries()) {
      assertEquals(
        keys.map((right) => Math.sign(compareKeys(left, right))),
        keys.map((_, j) => Math.sign(i - j)),
      );
    }
  });
});

describe("compareRows()", () => {
  const cases: [string, string[], string[], [string, string | null, string | null][]][] = [
    ["agree", ["1", "2", "3"], ["1", "2", "3"], []],
    ["are both empty", [], [], []],
    ["differ in a value", ["1", "2 a"], ["1", "2 b"], [["2", "2 a", "2 b"]]],
    ["differ by a row on the right", ["1", "3"], ["1", "2", "3"], [["2", null, "2"]]],
    ["differ by a row on the left", ["1", "2", "10"], ["1", "10"], [["2", "2", null]]],
    ["differ at the end", ["1"], ["1", "2"], [["2", null, "2"]]],
    ["differ by a duplicate row", ["1", "2"], ["1", "1", "2"], [["1", null, "1"]]],
    ["have nothing in common", ["1"], ["2"], [["1", "1", null], ["2", null, "2"]]],
  ];
  for (const [name, left, right, differences] of cases) {
    it(`compareRows() returns the differing rows when both sides ${name}, in batches of any size`, async () => {
      for (const size of [1, 2, 100]) {
        const found = await compareRows(rows(left, size), rows(right, 2));
        assertEquals(found.differences.map(({ place, left, right }) => [place, left, right]), differences);
        assertEquals(found.left === found.right, differences.length === 0);
        assert(found.left.startsWith(`${left.length} rows, `));
      }
    });
  }

  it("compareRows() returns the first differences and counts all rows", async () => {
    const many = Array.from({ length: 100 }, (_, i) => String(i));
    const found = await compareRows(rows(many), rows([]));
    assertEquals(found.differences.length, MAX_DIFFERENCES);
    assert(found.left.startsWith("100 rows, ") && found.right.startsWith("0 rows, "));
  });
});
