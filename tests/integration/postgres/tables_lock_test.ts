import { assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { SalesflowError } from "../../../lib/console/errors.ts";
import { acquireAdvisoryLock } from "../../../lib/postgres/advisory_lock.ts";
import { withTablesLock } from "../../../lib/postgres/tables_lock.ts";
import { Testbed } from "../tables/harness.ts";

describe("withTablesLock()", () => {
  let testbed: Testbed;
  beforeAll(async () => {
    testbed = await Testbed.open(["postgres"]);
  });
  afterAll(() => testbed.close());

  const acquire = () => testbed.postgres((db) => acquireAdvisoryLock(db, "salesflow:tables", "session"));

  it("holds the lock while the work runs, and returns its result", async () => {
    const result = await withTablesLock(testbed.context("one"), "run", async () => {
      await assertRejects(acquire, SalesflowError, "salesflow run (pid ");
      return "done";
    });
    assertEquals(result, "done");
    await acquire();
  });

  it("runs the work once, also when its connection is lost", async () => {
    let calls = 0;
    await withTablesLock(testbed.context("one"), "run", async () => {
      calls++;
      await testbed.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'salesflow run'",
      );
    });
    assertEquals(calls, 1);
  });

  it("releases the lock when the work fails", async () => {
    const failed = withTablesLock(testbed.context("one"), "run", () => Promise.reject(new Error("failed")));
    await assertRejects(() => failed, Error, "failed");
    await acquire();
  });
});
