import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { SalesflowError } from "../../../lib/console/errors.ts";
import { Findings, MAX_DIFFERENCES } from "../../../lib/verify/checks.ts";

const AMOUNT = "amount: clean/ = shop.sales";

describe("Findings", () => {
  it("compare() compares values of different types as text", () => {
    const findings = new Findings();
    assert(findings.compare("rows: a = b", 3, "3"));
    assert(findings.compare("sum: a = b", 3n, 3));
    assert(!findings.compare("sum: a = c", "1.00", "1.0"));
    assertEquals(findings.checks.map(({ ok }) => ok), [true, true, false]);
  });

  it("throwIfFailed() throws nothing when all checks passed", () => {
    const findings = new Findings();
    findings.compare("rows", 1, 1n);
    findings.throwIfFailed("r");
  });

  it("throwIfFailed() throws the failed checks and differing rows, as a table and as data", () => {
    const findings = new Findings();
    findings.compare("rows: clean/ = shop.sales", 3, 3);
    findings.compare(AMOUNT, "1.00", "1.01");
    findings.addDifferences(AMOUNT, [{ place: "sale_id 7", left: "1.00", right: null }]);
    const error = assertThrows(
      () => findings.throwIfFailed("r"),
      SalesflowError,
      "1 of 2 checks failed for run r\n",
    );
    assertMatch(error.message, /│ amount: clean\/ = shop\.sales │ 1\.00 │ 1\.01/);
    assertMatch(error.message, /, at sale_id 7:\n {2}left: {2}1\.00\n {2}right: no such row$/);
    assert(!error.message.includes("rows: clean/ = shop.sales"));
    assertEquals(error.exitCode, 1);
    assertEquals(error.evidence, {
      failed: [{ check: AMOUNT, left: "1.00", right: "1.01" }],
      rows: [{ check: AMOUNT, place: "sale_id 7", left: "1.00", right: null }],
    });
  });

  it("addDifferences() keeps the first rows, and merge() adds checks and rows of another instance", () => {
    const findings = new Findings();
    const other = new Findings();
    other.compare(AMOUNT, 1, 2);
    other.addDifferences(
      AMOUNT,
      Array.from({ length: MAX_DIFFERENCES + 1 }, (_, i) => ({ place: `row ${i}`, left: null, right: "x" })),
    );
    findings.merge(other);
    const { evidence } = assertThrows(() => findings.throwIfFailed("r"), SalesflowError);
    assertEquals((evidence!.rows as { place: string }[]).map(({ place }) => place), [
      "row 0",
      "row 1",
      "row 2",
      "row 3",
      "row 4",
    ]);
  });
});
