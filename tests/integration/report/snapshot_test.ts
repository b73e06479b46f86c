import { assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { SalesflowError } from "../../../lib/console/errors.ts";
import { load } from "../../../lib/load/load.ts";
import { extendStatementTimeout, withSnapshot } from "../../../lib/report/snapshot.ts";
import { makeSales, Testbed, writeRunFiles } from "../tables/harness.ts";

describe("snapshot", () => {
  let testbed: Testbed;
  beforeAll(async () => {
    testbed = await Testbed.open(["postgres"]);
    await testbed.createPostgresTables();
    await writeRunFiles(testbed.store, { runId: "run", parts: [makeSales(3)] });
    await load(testbed.context("run"));
  });
  afterAll(() => testbed.close());

  it("withSnapshot() runs its queries read-only, and returns the result", async () => {
    const count = await withSnapshot(testbed.context("run"), async (db) => {
      const { sales, read_only } = await db.one(
        "SELECT count(*) AS sales, current_setting('transaction_read_only') AS read_only FROM shop.sales",
      );
      assertEquals(read_only, "on");
      return sales;
    });
    assertEquals(count, "3");
  });

  it("withSnapshot() locks the tables against replacement, but not against reading", async () => {
    await withSnapshot(testbed.context("run"), async () => {
      assertEquals((await testbed.sql("SELECT count(*) AS sales FROM shop.sales"))[0]!.sales, "3");
      const replace = "SET lock_timeout = '50ms'; DROP TABLE shop.sales_aggregates";
      await assertRejects(() => testbed.sql(replace), Error, "lock");
    });
  });

  it("withSnapshot() throws, and does not call work, when shop.sales holds another run", async () => {
    const work = () => Promise.reject(new Error("called"));
    await assertRejects(
      () => withSnapshot(testbed.context("other"), work),
      SalesflowError,
      "holds the rows of run run, not those of other",
    );
  });

  it("extendStatementTimeout() raises the timeout with the number of rows", async () => {
    const timeouts = await withSnapshot(testbed.context("run"), async (db) => {
      const timeout = async () =>
        Number(
          (await db.one("SELECT extract(epoch FROM current_setting('statement_timeout')::interval) AS s")).s,
        );
      await extendStatementTimeout(db, 1n);
      const small = await timeout();
      await extendStatementTimeout(db, 1_000_000_000n);
      return [small, await timeout()];
    });
    assertEquals(timeouts[0]! > 0 && timeouts[1]! > timeouts[0]!, true, timeouts.join());
  });
});
