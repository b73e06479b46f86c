import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { SalesflowError } from "../../../lib/console/errors.ts";
import { postgresError, PostgresFailure } from "../../../lib/postgres/errors.ts";

const CONTEXT = { server: "db:5432/shop", stage: "load" };

function errorWithCode(code: string, message = "it failed"): Error {
  return Object.assign(new Error(message), { code });
}

describe("PostgresFailure", () => {
  const cases: [name: string, cause: unknown, transient: boolean, exitCode: 1 | 75, message: RegExp][] = [
    ["connection refused", errorWithCode("ECONNREFUSED", ""), true, 75, /cannot be reached.*ECONNREFUSED/],
    ["connection reset", errorWithCode("ECONNRESET"), true, 75, /cannot be reached/],
    [
      "several addresses, all refused",
      new AggregateError([errorWithCode("ECONNREFUSED", "connect 127.0.0.1")]),
      true,
      75,
      /127\.0\.0\.1/,
    ],
    ["lost connection", new Error("Connection terminated unexpectedly"), true, 75, /failed temporarily/],
    ["no answer in time", new Error("Query read timeout"), true, 75, /failed temporarily/],
    ["server stops", errorWithCode("57P01"), true, 75, /failed temporarily/],
    ["server crashed", errorWithCode("57P02"), true, 75, /failed temporarily/],
    ["server starts", errorWithCode("57P03"), true, 75, /failed temporarily/],
    ["connection failure reported by the server", errorWithCode("08006"), true, 75, /failed temporarily/],
    ["too many connections", errorWithCode("53300"), true, 75, /no free connections/],
    ["deadlock", errorWithCode("40P01"), true, 75, /failed temporarily/],
    ["serialization failure", errorWithCode("40001"), true, 75, /failed temporarily/],
    ["disk full", errorWithCode("53100"), false, 75, /no disk space/],
    ["out of memory", errorWithCode("53200"), false, 75, /out of memory/],
    ["lock not granted", errorWithCode("55P03"), false, 75, /did not grant a lock in time/],
    ["statement cancelled", errorWithCode("57014"), false, 75, /took too long/],
    ["unknown host", errorWithCode("ENOTFOUND"), false, 75, /cannot be resolved/],
    ["wrong password", errorWithCode("28P01"), false, 1, /rejected the user/],
    ["no entry in pg_hba.conf", errorWithCode("28000"), false, 1, /rejected the user/],
    ["no such database", errorWithCode("3D000"), false, 1, /no such database/],
    ["missing privilege", errorWithCode("42501"), false, 1, /denied permission/],
    ["no table", errorWithCode("42P01"), false, 1, /has no such table/],
    ["read-only server", errorWithCode("25006"), false, 1, /read-only/],
    ["duplicate key", errorWithCode("23505"), false, 1, /reported an error: it failed \(SQLSTATE 23505\)/],
    ["bad certificate", errorWithCode("SELF_SIGNED_CERT_IN_CHAIN"), false, 1, /failed TLS verification/],
    ["no TLS", new Error("The server does not support SSL connections"), false, 1, /does not support TLS/],
    [
      "a message of a statement that mentions connections",
      errorWithCode("P0001", "connection terminated"),
      false,
      1,
      /reported an error/,
    ],
  ];
  for (const [name, cause, transient, exitCode, message] of cases) {
    it(`PostgresFailure is ${transient ? "transient" : "permanent"} with exit code ${exitCode}: ${name}`, () => {
      const failure = new PostgresFailure(cause);
      assertEquals(failure.transient, transient);
      const error = postgresError(failure, CONTEXT);
      assert(error instanceof SalesflowError);
      assertEquals([error.exitCode, error.stage], [exitCode, "load"]);
      assertMatch(error.message, message);
      assert(error.message.startsWith("PostgreSQL at db:5432/shop "));
      assert(error.remedy);
    });
  }

  const missing: [code: string, message: string, summary: string, remedy: RegExp][] = [
    ["42P01", 'relation "shop.sales" does not exist', " is missing a table: ", /salesflow migrate/],
    ["42P01", "Relation »shop.sales« existiert nicht", " is missing a table: ", /salesflow migrate/],
    ["42P01", 'relation "sales" does not exist', " has no table sales: ", /write shop\.sales/],
    ["42P01", 'table "shop.nope" does not exist', " has no table shop.nope: ", /pg_tables/],
    ["42P01", 'missing FROM-clause entry for table "x"', " reported an error: ", /Fix the cause/],
    ["3F000", 'schema "shop" does not exist', " is missing the schema shop: ", /salesflow migrate/],
    ["3F000", 'schema "nope" does not exist', " has no schema nope: ", /pg_namespace/],
  ];
  for (const [code, message, summary, remedy] of missing) {
    it(`postgresError() suggests ${remedy} for: ${message}`, () => {
      const error = postgresError(new PostgresFailure(errorWithCode(code, message)), CONTEXT);
      assert(error instanceof SalesflowError);
      assertEquals(error.message, `PostgreSQL at db:5432/shop${summary}${message} (SQLSTATE ${code})`);
      assertMatch(error.remedy!, remedy);
    });
  }

  it("postgresError() returns other errors unchanged", () => {
    const error = new TypeError("other");
    assertEquals(postgresError(error, CONTEXT), error);
  });
});
