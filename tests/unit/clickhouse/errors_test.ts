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
    ["no database", serverError("81", "UNKNOWN_DATABASE"), false, 1, /has no database of this name/],
    ["no table", serverError("60", "UNKNOWN_TABLE"), false, 1, /has no such table/],
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

  const missing: [code: string, message: string, summary: string, remedy: RegExp][] = [
    ["60", "Table shop.sales_aggregates does not exist.", " is missing a table: ", /salesflow migrate/],
    [
      "60",
      "Unknown table expression identifier 'shop.sales_aggregates' in scope SELECT 1 FROM shop.sales_aggregates.",
      " is missing a table: ",
      /salesflow migrate/,
    ],
    [
      "60",
      "Unknown table expression identifier 'sales_aggregates' in scope SELECT 1.",
      " has no table sales_aggregates: ",
      /write shop\.sales_aggregates/,
    ],
    [
      "60",
      "Table default.nope does not exist. Maybe you meant system.one?.",
      " has no table default.nope: ",
      /SHOW TABLES/,
    ],
    ["60", "Table shop.`a-b` does not exist.", " has no table shop.a-b: ", /SHOW TABLES/],
    ["81", "Database shop does not exist.", " is missing the database shop: ", /salesflow migrate/],
    ["81", "Database nodb does not exist.", " has no database nodb: ", /SHOW DATABASES/],
  ];
  for (const [code, message, summary, remedy] of missing) {
    it(`clickhouseError() suggests ${remedy} for: ${message}`, () => {
      const cause = new ClickHouseError({ message: `${message} `, code, type: "UNKNOWN" });
      const error = clickhouseError(new ClickHouseFailure(cause), CONTEXT);
      assert(error instanceof SalesflowError);
      assertEquals(error.message, `ClickHouse at ch:8123${summary}${message} (code ${code}, UNKNOWN)`);
      assertMatch(error.remedy!, remedy);
    });
  }

  const messages: [what: string, message: string, type: string, expected: string][] = [
    [
      "leaves out the tokens that ClickHouse expected",
      "Syntax error: failed at position 14 (x) (line 1, col 14): x y. Expected one of: token, Comma, end of query. ",
      "SYNTAX_ERROR",
      "Syntax error: failed at position 14 (x) (line 1, col 14): x y (code 62, SYNTAX_ERROR)",
    ],
    [
      "repairs what the driver takes for the type of the error",
      "Syntax error: failed at position 1 ",
      "SELEC",
      "Syntax error: failed at position 1 (SELEC) (code 62)",
    ],
    [
      "limits the length",
      `Syntax error: ${"x".repeat(3000)}`,
      "SYNTAX_ERROR",
      `Syntax error: ${"x".repeat(586)}… (code 62, SYNTAX_ERROR)`,
    ],
  ];
  for (const [what, message, type, expected] of messages) {
    it(`ClickHouseFailure ${what}`, () => {
      assertEquals(
        new ClickHouseFailure(new ClickHouseError({ message, code: "62", type })).message,
        expected,
      );
    });
  }

  it("clickhouseError() returns other errors unchanged", () => {
    const error = new TypeError("other");
    assertEquals(clickhouseError(error, CONTEXT), error);
  });
});
