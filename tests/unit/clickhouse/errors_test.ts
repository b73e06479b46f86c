import { ClickHouseError } from "@clickhouse/client";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { clickhouseError, ClickHouseFailure } from "../../../lib/clickhouse/errors.ts";
import { SalesflowError } from "../../../lib/console/errors.ts";

const CONTEXT = { server: "ch:8123", stage: "transfer" };

function serverError(code: string, type: string): ClickHouseError {
  return new ClickHouseError({ message: "it failed. (version 26.7.2.1 (official build))", code, type });
}

describe("ClickHouseFailure", () => {
  const cases: [name: string, cause: unknown, transient: boolean, exitCode: 1 | 75, message: RegExp][] = [
    [
      "connection refused",
      Object.assign(new Error(""), { code: "ECONNREFUSED" }),
      true,
      75,
      /cannot be reached.*ECONNREFUSED/,
    ],
    ["connection reset", new Error("socket hang up"), true, 75, /failed temporarily/],
    ["no answer", new Error("Timeout error."), true, 75, /failed temporarily/],
    ["gateway error", new Error("502 Bad Gateway"), true, 75, /failed temporarily/],
    ["too many queries", serverError("202", "TOO_MANY_SIMULTANEOUS_QUERIES"), true, 75, /overloaded/],
    ["too many parts", serverError("252", "TOO_MANY_PARTS"), true, 75, /overloaded/],
    ["out of memory", serverError("241", "MEMORY_LIMIT_EXCEEDED"), false, 75, /out of memory/],
    ["disk full", serverError("243", "NOT_ENOUGH_SPACE"), false, 75, /no disk space/],
    ["unknown host", new Error("getaddrinfo ENOTFOUND ch"), false, 75, /cannot be resolved/],
    ["wrong password", serverError("516", "AUTHENTICATION_FAILED"), false, 1, /rejected the user/],
    ["no password", serverError("194", "REQUIRED_PASSWORD"), false, 1, /rejected the user/],
    ["no database", serverError("81", "UNKNOWN_DATABASE"), false, 1, /is missing the database/],
    ["no table", serverError("60", "UNKNOWN_TABLE"), false, 1, /is missing a table/],
    ["missing privilege", serverError("497", "ACCESS_DENIED"), false, 1, /denied permission/],
    [
      "bad syntax",
      serverError("62", "SYNTAX_ERROR"),
      false,
      1,
      /reported an error: it failed\. \(code 62, SYNTAX_ERROR\)$/,
    ],
    [
      "bad certificate",
      new Error("invalid peer certificate: UnknownIssuer"),
      false,
      1,
      /failed TLS verification/,
    ],
    [
      "wrong name in the certificate",
      new Error("Hostname/IP does not match certificate's altnames: DNS:x"),
      false,
      1,
      /failed TLS verification/,
    ],
  ];
  for (const [name, cause, transient, exitCode, message] of cases) {
    it(`ClickHouseFailure is ${transient ? "transient" : "permanent"} with exit code ${exitCode}: ${name}`, () => {
      const failure = new ClickHouseFailure(cause);
      assertEquals(failure.transient, transient);
      const error = clickhouseError(failure, CONTEXT);
      assert(error instanceof SalesflowError);
      assertEquals([error.exitCode, error.stage], [exitCode, "transfer"]);
      assertMatch(error.message, message);
      assert(error.message.startsWith("ClickHouse at ch:8123 "));
      assert(error.remedy);
    });
  }

  it("clickhouseError() returns other errors unchanged", () => {
    const error = new TypeError("other");
    assertEquals(clickhouseError(error, CONTEXT), error);
  });
});
