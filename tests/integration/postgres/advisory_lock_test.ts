import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { SalesflowError } from "../../../lib/console/errors.ts";
import { acquireAdvisoryLock } from "../../../lib/postgres/advisory_lock.ts";
import { SHORT_LIMITS, Testbed } from "../tables/harness.ts";

describe("acquireAdvisoryLock()", () => {
  let testbed: Testbed;
  beforeAll(async () => {
    testbed = await Testbed.open(["postgres"]);
  });
  afterAll(() => testbed.close());

  const acquire = (name: string, scope: "session" | "transaction" = "session") =>
    testbed.postgres((db) =>
      scope === "session"
        ? acquireAdvisoryLock(db, name, scope)
        : db.transaction(() => acquireAdvisoryLock(db, name, scope))
    );

  for (const scope of ["session", "transaction"] as const) {
    it(`acquireAdvisoryLock() throws with exit code 75 and the holder's name when it waits too long, per ${scope}`, async () => {
      await testbed.postgres(async (db) => {
        await acquireAdvisoryLock(db, "work", "session");
        const error = await assertRejects(() => acquire("work", scope), SalesflowError);
        assertMatch(
          error.message,
          /^salesflow test \(pid \d+, since \S+ \S+ UTC\) is doing the same work in PostgreSQL at .* within 0\.2 s$/,
        );
        assertEquals(error.exitCode, 75);
        await acquire("other work", scope);
      });
    });
  }

  it("acquireAdvisoryLock() waits until the holder's connection ends", async () => {
    const held = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const holder = testbed.postgres(async (db) => {
      await acquireAdvisoryLock(db, "work", "session");
      held.resolve();
      await release.promise;
    });
    await held.promise;
    const waiting = acquire("work");
    release.resolve();
    await Promise.all([holder, waiting]);
  });

  it("acquireAdvisoryLock() releases a transaction's lock with the transaction, a session's with the connection", async () => {
    await testbed.postgres(async (db) => {
      await db.transaction(() => acquireAdvisoryLock(db, "brief", "transaction"));
      await acquire("brief");
      await db.transaction(() => acquireAdvisoryLock(db, "long", "session"));
      await assertRejects(() => acquire("long"), SalesflowError);
    });
    await acquire("long");
  });

  it("acquireAdvisoryLock() restores the timeouts of the session", async () => {
    await testbed.postgres(async (db) => {
      const timeouts = () =>
        db.one(
          "SELECT current_setting('lock_timeout') AS lock, current_setting('statement_timeout') AS statement",
        );
      const before = await timeouts();
      await acquireAdvisoryLock(db, "work", "session");
      assertEquals(await timeouts(), before);
      assertEquals(db.statementTimeoutMs, SHORT_LIMITS.statementTimeoutMs);
    });
  });
});
