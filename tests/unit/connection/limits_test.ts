import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { UsageError } from "../../../lib/console/errors.ts";
import { DEFAULT_LIMITS, readLimits, statementTimeoutForRows } from "../../../lib/connection/limits.ts";

function read(environment: Record<string, string>) {
  return readLimits((name) => environment[name]);
}

describe("readLimits()", () => {
  it("returns the defaults when no variable is set", () => {
    const { retries, statementTimeoutMs, stallTimeoutMs, lockTimeoutMs } = read({ SALESFLOW_RETRIES: "" });
    assertEquals([retries, statementTimeoutMs, stallTimeoutMs, lockTimeoutMs], [6, 120_000, 60_000, 120_000]);
  });

  it("reads retries and timeout from the environment", () => {
    const { retries, statementTimeoutMs, stallTimeoutMs } = read({
      SALESFLOW_RETRIES: "0",
      SALESFLOW_TIMEOUT_SECONDS: "3",
    });
    assertEquals([retries, statementTimeoutMs, stallTimeoutMs], [0, 3000, 1500]);
  });

  it("lists all invalid values", () => {
    for (const [retries, timeout] of [["-1", "0"], ["101", "86401"], ["2.5", "1e3"], ["many", " 5"]]) {
      const error = assertThrows(
        () => read({ SALESFLOW_RETRIES: retries!, SALESFLOW_TIMEOUT_SECONDS: timeout! }),
        UsageError,
      );
      assertEquals(error.mistakes, [
        `Cannot use SALESFLOW_RETRIES ${retries}: it must be a whole number from 0 to 100`,
        `Cannot use SALESFLOW_TIMEOUT_SECONDS ${timeout}: it must be a whole number from 1 to 86400`,
      ]);
    }
  });
});

describe("statementTimeoutForRows()", () => {
  it("adds one second per 20,000 rows, rounded up to milliseconds", () => {
    const limits = { ...DEFAULT_LIMITS, statementTimeoutMs: 500 };
    const timeouts = [0, 1, 20, 21, 20_000].map((rows) => statementTimeoutForRows(limits, rows));
    assertEquals(timeouts, [500, 501, 501, 502, 1_500]);
  });
});
