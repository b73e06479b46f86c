import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { SalesflowError } from "../../../lib/console/errors.ts";
import { Findings } from "../../../lib/verify/checks.ts";

describe("Findings.judge()", () => {
  it("judge() throws the table for people and the same as data for machines", () => {
    const findings = new Findings();
    findings.compare("rows: clean/ = shop.sales", 3, 3);
    findings.compare("amount: clean/ = shop.sales", "1.00", "1.01");
    findings.differ("amount: clean/ = shop.sales", [{ place: "sale_id 7", left: "1.00", right: null }]);
    const error = assertThrows(() => findings.judge("r"), SalesflowError, "1 of 2 checks failed for run r\n");
    assertMatch(error.message, /│ amount: clean\/ = shop\.sales │ 1\.00 │ 1\.01/);
    assertEquals(error.evidence, {
      failed: [{ check: "amount: clean/ = shop.sales", left: "1.00", right: "1.01" }],
      rows: [{ check: "amount: clean/ = shop.sales", place: "sale_id 7", left: "1.00", right: null }],
    });
  });

  it("judge() says nothing when everything agrees", () => {
    const findings = new Findings();
    findings.compare("rows", 1, 1n);
    findings.judge("r");
  });
});
