import { assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import { SalesflowError } from "../../../lib/console/errors.ts";
import {
  aggregatesRemedy,
  lockLoadedRun,
  OtherRunError,
  readTableRuns,
} from "../../../lib/postgres/loaded_run.ts";
import { Testbed } from "../tables/harness.ts";

describe("lib/postgres/loaded_run.ts", () => {
  let testbed: Testbed;
  beforeAll(async () => {
    testbed = await Testbed.open(["postgres"]);
  });
  afterAll(() => testbed.close());
  beforeEach(async () => {
    await testbed.sql("DROP SCHEMA IF EXISTS shop CASCADE");
    await testbed.createPostgresTables();
  });

  /** Records runs as loaded, the last one as the newest. */
  async function recordLoads(...runIds: string[]): Promise<void> {
    for (const [index, runId] of runIds.entries()) {
      await testbed.sql(
        "INSERT INTO shop.pipeline_runs VALUES ($1, '2026-11-24', 'ingested', 'native', 0, 0, 0, 0, '{}', now() + $2 * interval '1 s')",
        [runId, index],
      );
    }
  }

  it("readTableRuns() returns nulls before migrate, and for empty tables", async () => {
    assertEquals(await readTableRuns(testbed.context("x")), { loaded: null, aggregated: null });
    await testbed.sql("DROP SCHEMA shop CASCADE");
    assertEquals(await readTableRuns(testbed.context("x")), { loaded: null, aggregated: null });
  });

  it("readTableRuns() returns the newest loaded run and the aggregated run", async () => {
    await recordLoads("b", "a");
    await testbed.sql(
      "INSERT INTO shop.sales_aggregates VALUES ('total', 'All', 0, 1, 1, 1, 1, 1, 1, 1, 'b')",
    );
    assertEquals(await readTableRuns(testbed.context("x")), { loaded: "a", aggregated: "b" });
  });

  it("aggregatesRemedy() names aggregate for the loaded run, and load for any other", async () => {
    await recordLoads("b", "a");
    const remedies = await testbed.postgres(async (db) => [
      await aggregatesRemedy(db, "a"),
      await aggregatesRemedy(db, "b"),
    ]);
    assertEquals(remedies, [
      "Run: salesflow aggregate --run-id a",
      "Run: salesflow run --from load --run-id b",
    ]);
  });

  it("lockLoadedRun() throws with a remedy when no run or another run is loaded", async () => {
    const lock = () => testbed.postgres((db) => db.transaction(() => lockLoadedRun(db, "run", "verify")));
    const none = await assertRejects(lock, SalesflowError, "holds no rows of any run, not those of run");
    assertEquals(none.remedy, "Run: salesflow run --from load --run-id run");
    await recordLoads("run", "other");
    const other = await assertRejects(lock, OtherRunError, "holds the rows of run other, not those of run");
    assertEquals([other.exitCode, other.stage, other.runId], [1, "verify", "run"]);
    assertEquals(
      other.remedy,
      "Run: salesflow run --from load --run-id run; or name the run that is loaded: --run-id other",
    );
    const replaced = other.asReplaced();
    assertEquals([replaced.exitCode, replaced.stage, replaced.runId], [75, "verify", "run"]);
    assertEquals(
      replaced.message,
      `${other.message}: another command published that run while this run was in progress`,
    );
    assertEquals(replaced.remedy, "Run it again from load: salesflow run --from load --run-id run");
  });

  it("lockLoadedRun() blocks the replacement of shop.sales until the transaction ends, but no reader", async () => {
    await recordLoads("run");
    const replace = "SET lock_timeout = 50; LOCK TABLE shop.sales IN ACCESS EXCLUSIVE MODE";
    await testbed.postgres((db) =>
      db.transaction(async () => {
        await lockLoadedRun(db, "run", "verify");
        await testbed.sql("SELECT count(*) FROM shop.sales");
        await assertRejects(() => testbed.sql(replace), SalesflowError, "did not grant a lock in time");
      })
    );
    await testbed.sql(replace);
  });
});
