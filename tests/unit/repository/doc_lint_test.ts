import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { countedFindings } from "../../doc_lint.ts";

describe("countedFindings()", () => {
  it("keeps every finding but references to types of packages", () => {
    const missing = "error[missing-jsdoc]: exported symbol is missing JSDoc documentation\n  --> a.ts:1:1";
    const reference =
      "error[private-type-ref]: public type 'a' references private type 'Logger'\n  --> a.ts:2:1";
    const output = [missing, reference, "error: Found 2 documentation lint errors."].join("\n\n");
    assertEquals(countedFindings(output), [missing]);
  });
});
