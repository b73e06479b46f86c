import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  DistinctRows,
  FillDown,
  type FillValues,
  type KeyHashes,
  LineNumbers,
} from "../../../../lib/ingest/chunks/fill_down.ts";

/** Returns different hashes for different keys of one character. */
function hash(keys: string): KeyHashes {
  const codes = Uint32Array.from(keys, (key) => key.charCodeAt(0));
  return { low: codes, high: codes };
}

function toFill(records: readonly [key: string, row: string[]][]): FillValues {
  const distinct = new DistinctRows();
  const indexes = Uint32Array.from(records, ([, row]) => distinct.indexOf(row));
  return { keys: hash(records.map(([key]) => key).join("")), rows: distinct.rows, indexes };
}

describe("DistinctRows", () => {
  it("stores each row once", () => {
    const distinct = new DistinctRows();
    const rows = [["a", ""], ["", "a"], ["a", ""], ["a"]];
    assertEquals(rows.map((row) => distinct.indexOf(row)), [0, 1, 0, 2]);
    assertEquals(distinct.rows, [["a", ""], ["", "a"], ["a"]]);
  });
});

describe("FillDown", () => {
  const records: [key: string, row: string[]][] = [
    ["1", ["paid", ""]],
    ["1", ["", " "]],
    ["2", ["", ""]],
    ["1", ["", "North"]],
    ["2", ["open", ""]],
    ["1", ["\u00a0", ""]],
    ["2", ["", "West"]],
    ["1", ["sent", ""]],
    ["3", ["", "East"]],
    ["1", ["", ""]],
  ];
  const filled = [
    ["paid", ""],
    ["paid", ""],
    ["", ""],
    ["paid", "North"],
    ["open", ""],
    ["paid", "North"],
    ["open", "West"],
    ["sent", "North"],
    ["", "East"],
    ["sent", "North"],
  ];

  for (const size of [1, 3, 10]) {
    it(`fills blank values from the line before with the same key, in chunks of ${size}`, () => {
      const fill = new FillDown();
      const result: (readonly string[])[] = [];
      for (let at = 0; at < records.length; at += size) {
        const { rows, indexes } = fill.fill(toFill(records.slice(at, at + size)));
        for (const index of indexes) result.push(rows[index]!);
      }
      assertEquals(result, filled);
    });
  }

  it("sends each filled row of a chunk once", () => {
    const { rows } = new FillDown().fill(toFill([["1", ["a"]], ["1", [""]], ["2", ["a"]], ["3", ["b"]]]));
    assertEquals(rows, [["a"], ["b"]]);
  });
});

describe("LineNumbers", () => {
  it("counts the lines of each key over all chunks", () => {
    const numbers = new LineNumbers();
    assertEquals([...numbers.next(hash("aaba"))], [1, 2, 1, 3]);
    assertEquals([...numbers.next(hash(""))], []);
    assertEquals([...numbers.next(hash("bca"))], [2, 1, 4]);
  });
});
