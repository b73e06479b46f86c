import { ClickHouseError } from "@clickhouse/client";
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { clickhouseError, ClickHouseFailure } from "../../../lib/clickhouse/errors.ts";
import { quoteClickHouseName } from "../../../lib/clickhouse/session.ts";
import { SalesflowError } from "../../../lib/console/errors.ts";

const PLACE = { server: "ch:8123", stage: "transfer" };

function ofServer(code: string, type: string): ClickHouseError {
  return new ClickHouseError({ message: "it failed. (version 26.7.2.1 (official build))", code, type });
}

describe("ClickHouseFailure", () => {
  const cases: [string, unknown, boolean, 1 | 75, RegExp][] = [
    [
      "connection refused",
      Object.assign(new Error(""), { code: "ECONNREFUSED" }),
      true,
      75,
      /cannot be reached.*ECONNREFUSED/,
    ],
    ["connection reset", new Error("socket hang up"), true, 75, /broke off/],
    ["no answer", new Error("Timeout error."), true, 75, /broke off/],
    ["a gateway in between", new Error("502 Bad Gateway"), true, 75, /broke off/],
    ["too many queries", ofServer("202", "TOO_MANY_SIMULTANEOUS_QUERIES"), true, 75, /overloaded/],
    ["too many parts", ofServer("252", "TOO_MANY_PARTS"), true, 75, /overloaded/],
    ["out of memory", ofServer("241", "MEMORY_LIMIT_EXCEEDED"), false, 75, /no memory/],
    ["disk full", ofServer("243", "NOT_ENOUGH_SPACE"), false, 75, /no disk space/],
    ["unknown host", new Error("getaddrinfo ENOTFOUND ch"), false, 75, /found by name/],
    ["wrong password", ofServer("516", "AUTHENTICATION_FAILED"), false, 1, /refuses the user/],
    ["no password", ofServer("194", "REQUIRED_PASSWORD"), false, 1, /refuses the user/],
    ["no database", ofServer("81", "UNKNOWN_DATABASE"), false, 1, /lacks the database/],
    ["no table", ofServer("60", "UNKNOWN_TABLE"), false, 1, /lacks a table/],
    ["no right", ofServer("497", "ACCESS_DENIED"), false, 1, /does not allow/],
    [
      "bad syntax",
      ofServer("62", "SYNTAX_ERROR"),
      false,
      1,
      /reported an error: it failed\. \(code 62, SYNTAX_ERROR\)$/,
    ],
    ["bad certificate", new Error("invalid peer certificate: UnknownIssuer"), false, 1, /prove who it is/],
    [
      "wrong name in the certificate",
      new Error("Hostname/IP does not match certificate's altnames: DNS:x"),
      false,
      1,
      /prove who/,
    ],
  ];
  for (const [name, cause, transient, exitCode, says] of cases) {
    it(`ClickHouseFailure is ${transient ? "tried again" : "not tried again"}, and ends with ${exitCode}: ${name}`, () => {
      const failure = new ClickHouseFailure(cause);
      assertEquals(failure.transient, transient);
      const error = clickhouseError(failure, PLACE);
      assert(error instanceof SalesflowError);
      assertEquals([error.exitCode, error.stage], [exitCode, "transfer"]);
      assert(says.test(error.message), error.message);
      assert(error.message.startsWith("ClickHouse at ch:8123 "));
      assert(error.remedy);
    });
  }

  it("clickhouseError() leaves errors of others as they are", () => {
    const error = new TypeError("ours");
    assertEquals(clickhouseError(error, PLACE), error);
  });
});

describe("quoteClickHouseName()", () => {
  const cases: [string[], string][] = [
    [["shop", "sales"], "`shop`.`sales`"],
    [["a`; DROP TABLE b; --\\"], "`a\\`; DROP TABLE b; --\\\\`"],
  ];
  for (const [names, expected] of cases) {
    it(`quoteClickHouseName() makes ${expected}`, () =>
      assertEquals(quoteClickHouseName(...names), expected));
  }
});
