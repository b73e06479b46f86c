import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { UsageError } from "../../../lib/console/errors.ts";
import { limitsFrom } from "../../../lib/connection/limits.ts";

function limitsOf(environment: Record<string, string>) {
  return limitsFrom((name) => environment[name]);
}

describe("limitsFrom()", () => {
  it("limitsFrom() is patient when nothing is set", () => {
    const { retries, statementMs, stallMs, lockWaitMs } = limitsOf({ SALESFLOW_RETRIES: "" });
    assertEquals([retries, statementMs, stallMs, lockWaitMs], [6, 120_000, 60_000, 120_000]);
  });

  it("limitsFrom() takes tries and time from the environment", () => {
    const { retries, statementMs, stallMs } = limitsOf({
      SALESFLOW_RETRIES: "0",
      SALESFLOW_TIMEOUT_SECONDS: "3",
    });
    assertEquals([retries, statementMs, stallMs], [0, 3000, 1500]);
  });

  it("limitsFrom() names every mistake when values cannot be used", () => {
    for (const [retries, timeout] of [["-1", "0"], ["101", "86401"], ["2.5", "1e3"], ["many", " 5"]]) {
      const error = assertThrows(
        () => limitsOf({ SALESFLOW_RETRIES: retries!, SALESFLOW_TIMEOUT_SECONDS: timeout! }),
        UsageError,
      );
      assertEquals(error.mistakes, [
        `Cannot use SALESFLOW_RETRIES ${retries}: it must be a whole number from 0 to 100`,
        `Cannot use SALESFLOW_TIMEOUT_SECONDS ${timeout}: it must be a whole number from 1 to 86400`,
      ]);
    }
  });
});
