import { assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { publish } from "../../../lib/load/publish.ts";
import { openSource } from "../../../lib/load/source.ts";
import { fillStagingTable } from "../../../lib/load/staging.ts";
import { formatTotals, makeSales, SELECT_TOTALS, Testbed, writeRunFiles } from "../tables/harness.ts";

const TIMEOUT_MS = 60_000;

describe("publish()", () => {
  let testbed: Testbed;
  beforeAll(async () => {
    testbed = await Testbed.open(["postgres"]);
    await testbed.createPostgresTables();
  });
  afterAll(() => testbed.close());

  it("publish() replaces partition, catalogue and rejected rows of the run, and returns the catalogue's rows", async () => {
    const first = {
      runId: "run",
      parts: [makeSales(20)],
      products: ["1,Tea,Food,1.00,2.00", "2,Cup,Home,1.00,2.00"],
    };
    await writeRunFiles(testbed.store, {
      ...first,
      rejected: [[0, 3, "malformed_row", "a"], [0, 4, "malformed_row", "b"]],
    });
    const publishRun = async () => {
      const source = await openSource(testbed.context("run"));
      return await testbed.postgres(async (db) =>
        await publish(db, source, await fillStagingTable(db, source, () => {}), TIMEOUT_MS)
      );
    };
    assertEquals(await publishRun(), 2);
    await writeRunFiles(testbed.store, {
      ...first,
      parts: [makeSales(30)],
      products: ["3,Lamp,Home,1.00,2.00"],
      rejected: [[0, 5, "invalid_date", "c"]],
    });
    assertEquals(await publishRun(), 1);
    assertEquals((await testbed.sql(SELECT_TOTALS))[0]!.totals, formatTotals(makeSales(30)));
    assertEquals(await testbed.values("SELECT name FROM shop.products"), [["Lamp"]]);
    assertEquals(await testbed.values("SELECT line, raw FROM shop.rejected_sales"), [["5", "c"]]);
    assertEquals(await testbed.values("SELECT run_id, clean_rows FROM shop.pipeline_runs"), [["run", "30"]]);
    const partitions = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'shop.sales'::regclass";
    assertEquals(await testbed.values(partitions), [["1"]]);
  });

  it("publish() returns null and keeps the catalogue when the run has none", async () => {
    await writeRunFiles(testbed.store, { runId: "plain", parts: [makeSales(5)] });
    const source = await openSource(testbed.context("plain"));
    const before = await testbed.values("SELECT name FROM shop.products");
    const rows = await testbed.postgres(async (db) =>
      await publish(db, source, await fillStagingTable(db, source, () => {}), TIMEOUT_MS)
    );
    assertEquals(rows, null);
    assertEquals(await testbed.values("SELECT name FROM shop.products"), before);
  });

  it("publish() sets one savepoint for all attempts to lock the table, and releases it", async () => {
    await writeRunFiles(testbed.store, { runId: "attempts", parts: [makeSales(20)] });
    const source = await openSource(testbed.context("attempts"));
    await testbed.postgres(async (reader) => {
      await reader.query("BEGIN");
      await reader.query("SELECT count(*) FROM shop.sales");
      const statements: string[] = [];
      await testbed.postgres(async (db) => {
        const table = await fillStagingTable(db, source, () => {});
        const query = db.query.bind(db);
        db.query = async (text: string, values?: readonly unknown[]) => {
          if (/SAVEPOINT/.test(text)) statements.push(text);
          // The reader finishes before the fourth attempt.
          if (statements.length === 4) await reader.query("ROLLBACK");
          return await query(text, values) as never;
        };
        await publish(db, source, table, TIMEOUT_MS);
      });
      const rollback = "ROLLBACK TO SAVEPOINT before_lock";
      assertEquals(statements.slice(0, 4), ["SAVEPOINT before_lock", rollback, rollback, rollback]);
      assertEquals(statements.filter((text) => text !== rollback).slice(1), [
        "RELEASE SAVEPOINT before_lock",
      ]);
    });
  });
});
