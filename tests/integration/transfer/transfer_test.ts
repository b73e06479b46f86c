import { assert, assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { aggregate } from "../../../lib/aggregate/aggregate.ts";
import { SalesflowError } from "../../../lib/console/errors.ts";
import { load } from "../../../lib/load/load.ts";
import { migrate } from "../../../lib/migrate/migrate.ts";
import { stagingPrefix } from "../../../lib/transfer/staging.ts";
import { transfer } from "../../../lib/transfer/transfer.ts";
import { makeSales, type Sale, SHORT_LIMITS, Testbed, writeRunFiles } from "../tables/harness.ts";
import { recount } from "../tables/recount.ts";

const COLUMNS =
  "level, region, product_id, total_sales, total_quantity, total_amount, average_sale_amount, amount_share, amount_rank, cumulative_share";
const OTHER_DATE = "2026-11-17";

describe("transfer()", () => {
  let testbed: Testbed;
  const SMALL = makeSales(60);

  beforeAll(async () => {
    testbed = await Testbed.open();
    await migrate(testbed.context("run"));
    await aggregateRun("small", SMALL);
  });
  afterAll(() => testbed.close());

  /** Writes, loads and aggregates a run. */
  async function aggregateRun(runId: string, sales: Sale[], asOf = "2026-11-24"): Promise<void> {
    await writeRunFiles(testbed.store, { runId, parts: [sales], asOf });
    await load(testbed.context(runId, { asOf }));
    await aggregate(testbed.context(runId, { asOf }));
  }

  async function importedRows(date: string): Promise<string[]> {
    const rows = await testbed.clickhouse(
      `SELECT ${COLUMNS} FROM shop.sales_aggregates WHERE import_date = '${date}'`,
    );
    return rows.map((row) => row.join(" ")).sort();
  }

  it("transfer() copies every value exactly, and leaves one copy when repeated", async () => {
    const first = await transfer(testbed.context("small"));
    assertEquals(await importedRows("2026-11-24"), recount(SMALL));
    const again = await transfer(testbed.context("small"));
    assertEquals(await importedRows("2026-11-24"), recount(SMALL));
    assertEquals(again, first);
    const rest = await testbed.clickhouse("SELECT DISTINCT run_id, import_date FROM shop.sales_aggregates");
    assertEquals(rest, [["small", "2026-11-24"]]);
    const [[age]] = await testbed.clickhouse(
      "SELECT max(abs(dateDiff('second', imported_at, now64(3)))) FROM shop.sales_aggregates",
    ) as [[string]];
    assert(Number(age) < 600);
    assertEquals(await testbed.findStagingTables(), []);
  });

  it("transfer() replaces its own date and leaves the others", async () => {
    await aggregateRun("before", SMALL.slice(0, 20), OTHER_DATE);
    await transfer(testbed.context("before", { asOf: OTHER_DATE }));
    await aggregateRun("small", SMALL.slice(0, 30));
    await transfer(testbed.context("small"));
    assertEquals(await importedRows(OTHER_DATE), recount(SMALL.slice(0, 20)));
    assertEquals(await importedRows("2026-11-24"), recount(SMALL.slice(0, 30)));
  });

  it("transfer() is exact for the largest values", async () => {
    const sales: Sale[] = Array.from(
      { length: 9000 },
      (_, i) => [i + 1, 1, 1 + i % 7, 2147483647, "2026-10-01", "999999999999.99", "North"],
    );
    await aggregateRun("large", sales);
    await transfer(testbed.context("large"));
    assertEquals(await importedRows("2026-11-24"), recount(sales));
  });

  it("transfer() streams more rows than one batch", async () => {
    const sales = makeSales(5200).map((
      sale,
      i,
    ): Sale => [sale[0], sale[1], i + 1, sale[3], sale[4], sale[5], sale[6]]);
    await aggregateRun("many", sales);
    const { rowsOut } = await transfer(testbed.context("many"));
    assertEquals(rowsOut, 1 + 4 + 5200 + 5200);
    assertEquals(await importedRows("2026-11-24"), recount(sales));
  });

  it("transfer() without aggregates leaves no rows of its date", async () => {
    await aggregateRun("none", []);
    await transfer(testbed.context("none"));
    assertEquals(await importedRows("2026-11-24"), []);
    assertEquals(await importedRows(OTHER_DATE), recount(SMALL.slice(0, 20)));
  });

  it("transfer() throws for the aggregates of another run", async () => {
    await aggregateRun("small", SMALL);
    const error = await assertRejects(
      () => transfer(testbed.context("other")),
      SalesflowError,
      "computed by run small",
    );
    assertEquals(error.exitCode, 1);
  });

  it("transfer() run concurrently leaves one copy, which readers see at any time", async () => {
    await transfer(testbed.context("small"));
    let running = true;
    const seen = new Set<string>();
    const reading = (async () => {
      while (running) {
        const [[row]] = await testbed.clickhouse(
          "SELECT concat(toString(count()), ' ', toString(sum(total_amount))) FROM shop.sales_aggregates WHERE import_date = '2026-11-24'",
        ) as [[string]];
        seen.add(row);
      }
    })();
    await Promise.all([1, 2, 3, 4].map(() => transfer(testbed.context("small"))));
    running = false;
    await reading;
    assertEquals(seen.size, 1);
    assertEquals(await importedRows("2026-11-24"), recount(SMALL));
    assertEquals(await testbed.findStagingTables(), []);
  });

  it("transfer() drops staging tables of killed transfers, but not those of another PostgreSQL database", async () => {
    const own = await testbed.postgres(stagingPrefix);
    const theirs = `${own.replace(/\d+_\d+_$/, "")}7000000000000000001_5_small_0a1b2c3d`;
    for (const name of [`${own}small_0a1b2c3d`, theirs]) {
      await testbed.clickhouse(`CREATE TABLE shop.${name} AS shop.sales_aggregates`);
    }
    await transfer(testbed.context("small"));
    assertEquals(await testbed.findStagingTables(), [theirs]);
    await testbed.clickhouse(`DROP TABLE shop.${theirs}`);
  });

  it("transfer() fails with exit code 2 for an as-of date other than that of the files or the loaded rows", async () => {
    const before = await importedRows(OTHER_DATE);
    const assertRefused = async (message: string) => {
      const error = await assertRejects(
        () => transfer(testbed.context("small", { asOf: OTHER_DATE })),
        SalesflowError,
        message,
      );
      assertEquals(error.exitCode, 2);
    };
    await assertRefused(`raw/ of run small is as of 2026-11-24, not ${OTHER_DATE}`);
    await testbed.store.remove("runs/small/raw");
    await assertRefused(`clean/ of run small is as of 2026-11-24, not ${OTHER_DATE}`);
    // Changes the date of the files, but not of the loaded rows.
    await writeRunFiles(testbed.store, { runId: "small", parts: [SMALL], asOf: OTHER_DATE });
    await assertRefused(`Run small was loaded as of 2026-11-24, not ${OTHER_DATE}`);
    assertEquals(await importedRows(OTHER_DATE), before);
    await aggregateRun("small", SMALL);
  });

  it("transfer() publishes nothing and leaves nothing behind when ClickHouse rejects the rows", async () => {
    await transfer(testbed.context("small"));
    await testbed.clickhouse(
      "ALTER TABLE shop.sales_aggregates ADD CONSTRAINT small_only CHECK total_sales < 10",
    );
    const error = await assertRejects(() => transfer(testbed.context("small")), SalesflowError, "small_only");
    assertEquals(error.exitCode, 1);
    await testbed.clickhouse("ALTER TABLE shop.sales_aggregates DROP CONSTRAINT small_only");
    assertEquals(await importedRows("2026-11-24"), recount(SMALL));
    assertEquals(await testbed.findStagingTables(), []);
  });

  it("transfer() publishes nothing when ClickHouse stores other values than it was sent", async () => {
    await transfer(testbed.context("small"));
    // A column type that changes values on insert.
    await testbed.clickhouse("ALTER TABLE shop.sales_aggregates MODIFY COLUMN total_amount Decimal(18, 1)");
    const error = await assertRejects(
      () => transfer(testbed.context("small")),
      SalesflowError,
      "Rows changed in transit",
    );
    assertEquals(error.exitCode, 1);
    await testbed.clickhouse("ALTER TABLE shop.sales_aggregates MODIFY COLUMN total_amount Decimal(18, 2)");
    assertEquals(await testbed.findStagingTables(), []);
    await transfer(testbed.context("small"));
    assertEquals(await importedRows("2026-11-24"), recount(SMALL));
  });

  it("transfer() fails with exit code 75 when another transfer holds the lock too long", async () => {
    await testbed.postgres(async (db) => {
      await db.query("SELECT pg_advisory_lock(hashtextextended('salesflow:transfer', 0))");
      const error = await assertRejects(
        () => transfer(testbed.context("small"), { limits: SHORT_LIMITS }),
        SalesflowError,
        "salesflow test",
      );
      assertEquals(error.exitCode, 75);
    });
  });
});
