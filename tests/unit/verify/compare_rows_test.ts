import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { SalesflowError } from "../../../lib/console/errors.ts";
import { Findings, NAMED_DIFFERENCES } from "../../../lib/verify/checks.ts";
import { compareRows, type KeyedRow } from "../../../lib/verify/compare_rows.ts";

/** Rows of one number each, in batches of `size`; the text is the number, or what follows it. */
async function* rows(texts: string[], size = 2): AsyncGenerator<KeyedRow[]> {
  for (let at = 0; at < texts.length; at += size) {
    yield await Promise.resolve(texts.slice(at, at + size).map((text) => ({ key: [parseInt(text)], text })));
  }
}

describe("compareRows()", () => {
  const cases: [string, string[], string[], [string, string | null, string | null][]][] = [
    ["agree", ["1", "2", "3"], ["1", "2", "3"], []],
    ["are both empty", [], [], []],
    ["differ in a value", ["1", "2 a"], ["1", "2 b"], [["2", "2 a", "2 b"]]],
    ["differ by a row on the right", ["1", "3"], ["1", "2", "3"], [["2", null, "2"]]],
    ["differ by a row on the left", ["1", "2", "10"], ["1", "10"], [["2", "2", null]]],
    ["differ at the end", ["1"], ["1", "2"], [["2", null, "2"]]],
    ["differ by a row that is there twice", ["1", "2"], ["1", "1", "2"], [["1", null, "1"]]],
    ["have nothing in common", ["1"], ["2"], [["1", "1", null], ["2", null, "2"]]],
  ];
  for (const [name, left, right, differences] of cases) {
    it(`compareRows() tells which rows differ when both ${name}, in batches of any size`, async () => {
      for (const size of [1, 2, 100]) {
        const found = await compareRows(rows(left, size), rows(right, 2));
        assertEquals(found.differences.map(({ place, left, right }) => [place, left, right]), differences);
        assertEquals(found.left === found.right, differences.length === 0);
        assert(found.left.startsWith(`${left.length} rows, `));
      }
    });
  }

  it("compareRows() names a few differences and goes on counting", async () => {
    const many = Array.from({ length: 100 }, (_, i) => String(i));
    const found = await compareRows(rows(many), rows([]));
    assertEquals(found.differences.length, NAMED_DIFFERENCES);
    assert(found.left.startsWith("100 rows, ") && found.right.startsWith("0 rows, "));
  });
});

describe("Findings", () => {
  it("Findings throws nothing when all checks agree", () => {
    const findings = new Findings();
    assert(findings.compare("rows: a = b", 3, "3"));
    assert(findings.compare("sum: a = b", 3n, 3));
    findings.judge("run");
    assertEquals(findings.checks.map(({ ok }) => ok), [true, true]);
  });

  it("Findings throws a table of the failed checks only, with the rows that differ", () => {
    const findings = new Findings();
    findings.compare("rows: a = b", 1, 1);
    assert(!findings.compare("sum: a = b", "1.00", "1.01"));
    findings.differ("sum: a = b", [{ place: "row 7", left: "seven", right: null }]);
    const error = assertThrows(
      () => findings.judge("run"),
      SalesflowError,
      "1 of 2 checks failed for run run",
    );
    for (const part of ["sum: a = b", "1.00", "1.01", "row 7", "seven", "no such row"]) {
      assert(error.message.includes(part));
    }
    assert(!error.message.includes("rows: a = b"));
    assertEquals(error.exitCode, 1);
  });
});
