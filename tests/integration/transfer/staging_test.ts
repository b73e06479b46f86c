import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { afterAll, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import { type ClickHouse, withClickHouse } from "../../../lib/clickhouse/session.ts";
import { SalesflowError } from "../../../lib/console/errors.ts";
import { migrate } from "../../../lib/migrate/migrate.ts";
import {
  createStagingTable,
  dropPartition,
  dropStagingTable,
  dropStaleStagingTables,
  replacePartition,
  stagingPrefix,
} from "../../../lib/transfer/staging.ts";
import { SHORT_LIMITS, Testbed } from "../tables/harness.ts";

const [DATE, OTHER_DATE] = ["2026-11-24", "2026-11-17"];
const PREFIX = "sales_aggregates_staging_7_5_";

describe("lib/transfer/staging.ts", () => {
  let testbed: Testbed;
  beforeAll(async () => {
    testbed = await Testbed.open();
    await migrate(testbed.context("run"));
  });
  afterAll(() => testbed.close());
  beforeEach(async () => {
    await testbed.clickhouse("TRUNCATE TABLE shop.sales_aggregates");
  });

  function connect<T>(work: (db: ClickHouse) => Promise<T>): Promise<T> {
    const { signal } = new AbortController();
    return withClickHouse({ url: testbed.clickhouseUrl, stage: "test", signal, limits: SHORT_LIMITS }, work);
  }

  async function insert(table: string, date: string, runId: string): Promise<void> {
    await testbed.clickhouse(
      `INSERT INTO shop.${table} VALUES ('${date}', 'total', 'All', 0, 1, 1, 1, 1, 1, 1, 1, '${runId}', now64(3))`,
    );
  }

  async function rows(): Promise<string[]> {
    const found = await testbed.clickhouse(
      "SELECT import_date, run_id FROM shop.sales_aggregates ORDER BY import_date, run_id",
    );
    return found.map((row) => row.join(" "));
  }

  it("stagingPrefix() is constant for a database, and differs between two databases of a server", async () => {
    const prefix = await testbed.postgres(stagingPrefix);
    assertMatch(prefix, /^sales_aggregates_staging_\d+_\d+_$/);
    assertEquals(await testbed.postgres(stagingPrefix), prefix);
    const url = new URL(testbed.postgresUrl);
    url.pathname = "/postgres";
    assert(await testbed.postgres(stagingPrefix, url.href) !== prefix);
  });

  it("createStagingTable() creates an empty table with a unique name, and dropStagingTable() drops it", async () => {
    await connect(async (db) => {
      const names = [
        await createStagingTable(db, PREFIX, "run-1", "sales_aggregates"),
        await createStagingTable(db, PREFIX, "run-1", "sales_aggregates"),
      ];
      for (const name of names) assertMatch(name, /^sales_aggregates_staging_7_5_run-1_[0-9a-f]{8}$/);
      assertEquals((await testbed.findStagingTables()).sort(), names.toSorted());
      for (const name of names) await dropStagingTable(db, name);
      await dropStagingTable(db, names[0]!);
      assertEquals(await testbed.findStagingTables(), []);
    });
  });

  it("dropStaleStagingTables() drops the tables with the prefix only", async () => {
    await connect(async (db) => {
      await createStagingTable(db, PREFIX, "run", "sales_aggregates");
      const other = await createStagingTable(db, "sales_aggregates_staging_8_5_", "run", "sales_aggregates");
      await dropStaleStagingTables(db, PREFIX);
      assertEquals(await testbed.findStagingTables(), [other]);
      await dropStagingTable(db, other);
    });
  });

  it("replacePartition() and dropPartition() change the rows of their date only", async () => {
    for (const date of [DATE, OTHER_DATE]) await insert("sales_aggregates", date, "old");
    await connect(async (db) => {
      const table = await createStagingTable(db, PREFIX, "run", "sales_aggregates");
      await insert("`" + table + "`", DATE, "new");
      await replacePartition(db, table, DATE);
      assertEquals(await rows(), [`${OTHER_DATE} old`, `${DATE} new`]);
      await dropPartition(db, OTHER_DATE);
      assertEquals(await rows(), [`${DATE} new`]);
      await dropStagingTable(db, table);
    });
  });

  it("dropPartition() accepts a date without rows", async () => {
    await connect((db) => dropPartition(db, DATE));
  });

  it("replacePartition() throws when the staging table does not exist", async () => {
    await assertRejects(
      () => connect((db) => replacePartition(db, "nowhere", DATE)),
      SalesflowError,
      "nowhere",
    );
  });
});
