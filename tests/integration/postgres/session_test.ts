import { assert, assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { SalesflowError } from "../../../lib/console/errors.ts";
import { PostgresFailure } from "../../../lib/postgres/errors.ts";
import { type Postgres, withPostgres } from "../../../lib/postgres/session.ts";
import { SHORT_LIMITS, Testbed } from "../tables/harness.ts";

describe("Postgres", () => {
  let testbed: Testbed;
  beforeAll(async () => {
    testbed = await Testbed.open(["postgres"]);
  });
  afterAll(() => testbed.close());

  it("query() returns the rows of the last statement, with every value as text", async () => {
    await testbed.postgres(async (db) => {
      const rows = await db.query(
        "SELECT $1::numeric(14, 2) AS money, 9223372036854775807 AS id, NULL AS none",
        [
          "1.50",
        ],
      );
      assertEquals(rows.map((row) => ({ ...row })), [{
        money: "1.50",
        id: "9223372036854775807",
        none: null,
      }]);
      const [last] = await db.query("SELECT 1 AS a; SELECT true AS b, '2026-10-01'::date AS day");
      assertEquals({ ...last }, { b: "t", day: "2026-10-01" });
      assertEquals(await db.query("CREATE TEMPORARY TABLE t (a integer)"), []);
    });
  });

  it("query() throws a PostgresFailure with the SQLSTATE", async () => {
    await testbed.postgres(async (db) => {
      const failure = await assertRejects(() => db.query("SELECT nonsense"), PostgresFailure, "nonsense");
      assertEquals([failure.code, failure.transient], ["42703", false]);
    });
  });

  it("queryTable() returns columns of equal names, and the last of several results", async () => {
    await testbed.postgres(async (db) => {
      assertEquals(await db.queryTable("SELECT 0 AS a; SELECT 1 AS a, 2 AS a"), {
        columns: ["a", "a"],
        rows: [["1", "2"]],
      });
      await assertRejects(() => db.queryTable("SELECT nonsense"), PostgresFailure);
    });
  });

  it("one() returns the first row, and throws when there is none", async () => {
    await testbed.postgres(async (db) => {
      assertEquals((await db.one("SELECT 1 AS a")).a, "1");
      await assertRejects(() => db.one("SELECT 1 AS a WHERE false"), SalesflowError, "returned no row");
    });
  });

  it("setStatementTimeout() changes the server's timeout and the longer one of the driver", async () => {
    await testbed.postgres(async (db) => {
      await db.setStatementTimeout(5_000);
      assertEquals((await db.one("SHOW statement_timeout")).statement_timeout, "5s");
      assertEquals([db.statementTimeoutMs, db.clientTimeoutMs], [5_000, 5_000 + SHORT_LIMITS.stallTimeoutMs]);
    });
  });

  it("transaction() commits when the work resolves, and rolls back when it throws", async () => {
    const rows = (db: Postgres) => db.query("SELECT a FROM t");
    await testbed.postgres(async (db) => {
      await db.query("CREATE TEMPORARY TABLE t (a integer)");
      assertEquals(await db.transaction(() => db.one("INSERT INTO t VALUES (1) RETURNING a")), { a: "1" });
      await assertRejects(
        () =>
          db.transaction(async () => {
            await db.query("INSERT INTO t VALUES (2)");
            throw new TypeError("other");
          }),
        TypeError,
        "other",
      );
      assertEquals(await rows(db), [{ a: "1" }]);
      const isolation = await db.transaction(
        () => db.one("SHOW transaction_isolation"),
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
      );
      assertEquals(isolation.transaction_isolation, "repeatable read");
    });
  });

  it("destroy() makes running statements fail as transient", async () => {
    await testbed.postgres(async (db) => {
      const sleeping = assertRejects(() => db.query("SELECT pg_sleep(60)"), PostgresFailure);
      db.destroy();
      assert((await sleeping).transient);
    });
  });

  it("withPostgres() sets the session's settings and application name", async () => {
    const { signal } = new AbortController();
    const settings = await withPostgres(
      { url: testbed.postgresUrl, stage: "load", signal, limits: SHORT_LIMITS },
      (db) =>
        db.one(
          "SELECT current_setting('application_name') AS name, current_setting('lock_timeout') AS lock_timeout, current_setting('search_path') AS path, current_setting('tcp_keepalives_count') AS probes",
        ),
    );
    assertEquals({ ...settings }, {
      name: "salesflow load",
      lock_timeout: "30s",
      path: "pg_catalog",
      probes: "3",
    });
  });
});
