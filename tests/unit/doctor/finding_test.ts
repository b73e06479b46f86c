import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { SalesflowError } from "../../../lib/console/errors.ts";
import { failedCheck } from "../../../lib/doctor/finding.ts";

describe("failedCheck()", () => {
  it("returns the message and the remedy of the error", () => {
    const error = new SalesflowError("Cannot write a", { remedy: "Free space." });
    assertEquals(failedCheck(error), { state: "failed", message: "Cannot write a", remedy: "Free space." });
  });

  it("returns the messages of the causes too, and no remedy when there is none", () => {
    const error = new Error("Cannot connect", { cause: new Error("refused") });
    assertEquals(failedCheck(error), { state: "failed", message: "Cannot connect: refused" });
  });
});
