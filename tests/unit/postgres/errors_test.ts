import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { SalesflowError } from "../../../lib/console/errors.ts";
import { postgresError, PostgresFailure } from "../../../lib/postgres/errors.ts";
import { quoteName } from "../../../lib/postgres/quote.ts";

const PLACE = { server: "db:5432/shop", stage: "load" };

function coded(code: string, message = "it failed"): Error {
  return Object.assign(new Error(message), { code });
}

describe("PostgresFailure", () => {
  const cases: [string, unknown, boolean, 1 | 75, RegExp][] = [
    ["connection refused", coded("ECONNREFUSED", ""), true, 75, /cannot be reached.*ECONNREFUSED/],
    ["connection reset", coded("ECONNRESET"), true, 75, /cannot be reached/],
    [
      "several addresses, all refused",
      new AggregateError([coded("ECONNREFUSED", "connect 127.0.0.1")]),
      true,
      75,
      /127\.0\.0\.1/,
    ],
    ["lost connection", new Error("Connection terminated unexpectedly"), true, 75, /broke off/],
    ["no answer in time", new Error("Query read timeout"), true, 75, /broke off/],
    ["server stops", coded("57P01"), true, 75, /broke off/],
    ["server crashed", coded("57P02"), true, 75, /broke off/],
    ["server starts", coded("57P03"), true, 75, /broke off/],
    ["connection failure reported by the server", coded("08006"), true, 75, /broke off/],
    ["too many connections", coded("53300"), true, 75, /no connection left/],
    ["deadlock", coded("40P01"), true, 75, /broke off/],
    ["serialization failure", coded("40001"), true, 75, /broke off/],
    ["disk full", coded("53100"), false, 75, /no disk space/],
    ["out of memory", coded("53200"), false, 75, /no memory/],
    ["lock not given", coded("55P03"), false, 75, /lock in time/],
    ["statement cancelled", coded("57014"), false, 75, /took too long/],
    ["unknown host", coded("ENOTFOUND"), false, 75, /found by name/],
    ["wrong password", coded("28P01"), false, 1, /refuses the user/],
    ["no entry in pg_hba.conf", coded("28000"), false, 1, /refuses the user/],
    ["no such database", coded("3D000"), false, 1, /no such database/],
    ["no right", coded("42501"), false, 1, /does not allow/],
    ["no table", coded("42P01"), false, 1, /lacks a table/],
    ["read-only server", coded("25006"), false, 1, /read-only/],
    ["duplicate key", coded("23505"), false, 1, /reported an error: it failed \(SQLSTATE 23505\)/],
    ["bad certificate", coded("SELF_SIGNED_CERT_IN_CHAIN"), false, 1, /prove who it is/],
    ["no TLS", new Error("The server does not support SSL connections"), false, 1, /does not speak TLS/],
    [
      "a statement's own words about connections",
      coded("P0001", "connection terminated"),
      false,
      1,
      /reported an error/,
    ],
  ];
  for (const [name, cause, transient, exitCode, says] of cases) {
    it(`PostgresFailure is ${transient ? "tried again" : "not tried again"}, and ends with ${exitCode}: ${name}`, () => {
      const failure = new PostgresFailure(cause);
      assertEquals(failure.transient, transient);
      const error = postgresError(failure, PLACE);
      assert(error instanceof SalesflowError);
      assertEquals([error.exitCode, error.stage], [exitCode, "load"]);
      assert(says.test(error.message), error.message);
      assert(error.message.startsWith("PostgreSQL at db:5432/shop "));
      assert(error.remedy);
    });
  }

  it("postgresError() leaves errors of others as they are", () => {
    const error = new TypeError("ours");
    assertEquals(postgresError(error, PLACE), error);
  });
});

describe("quoteName()", () => {
  const cases: [string[], string][] = [
    [["shop", "sales"], '"shop"."sales"'],
    [['a"; DROP TABLE b; --'], '"a""; DROP TABLE b; --"'],
  ];
  for (const [names, expected] of cases) {
    it(`quoteName() makes ${expected}`, () => assertEquals(quoteName(...names), expected));
  }
});
