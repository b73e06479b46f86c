/** The migration of ClickHouse that widens product_id to 64 bits, on a table that holds rows, and that creates products. */
import { assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import { SalesflowError } from "../../../lib/console/errors.ts";
import { migrate } from "../../../lib/migrate/migrate.ts";
import { CLICKHOUSE_MIGRATIONS, splitStatements } from "../../../lib/migrate/migrations.ts";
import { SHORT_LIMITS, Testbed } from "../tables/harness.ts";

describe("0002_wide_product_ids.sql of ClickHouse", () => {
  let testbed: Testbed;
  const statements = splitStatements(CLICKHOUSE_MIGRATIONS[1]!.sql);
  const ALL = "SELECT * FROM shop.sales_aggregates ORDER BY ALL";
  let before: string[][];

  beforeAll(async () => {
    testbed = await Testbed.open();
  });
  afterAll(() => testbed.close());
  beforeEach(async () => {
    await testbed.sql("DROP SCHEMA IF EXISTS shop CASCADE");
    await testbed.clickhouse("DROP DATABASE IF EXISTS shop SYNC");
    await migrate(testbed.context("old"), { clickhouseMigrations: CLICKHOUSE_MIGRATIONS.slice(0, 1) });
    await insertDates(3);
  });

  /** Replaces the rows by 600 of as many import dates. */
  async function insertDates(dates: number): Promise<void> {
    await testbed.clickhouse("TRUNCATE TABLE shop.sales_aggregates");
    await testbed.clickhouse(
      `INSERT INTO shop.sales_aggregates SELECT toDate('2024-01-02') + 7 * (number % ${dates}), 'product', 'All', 2147483647 - number, number, 9223372036854775807, toDecimal64('9999999999999999.99', 2), 1.5, 0.000001, number, 1, 'old', '2026-11-24 12:34:56.789' FROM numbers(600) SETTINGS max_partitions_per_insert_block = 0`,
    );
    before = await testbed.clickhouse(ALL);
    assertEquals(before.length, 600);
  }

  async function checkMigrated(): Promise<void> {
    assertEquals(await testbed.clickhouse(ALL), before);
    const columns =
      "SELECT table, type FROM system.columns WHERE database = 'shop' AND name = 'product_id' ORDER BY table";
    assertEquals(await testbed.clickhouse(columns), [["products", "Int64"], ["sales_aggregates", "Int64"]]);
    assertEquals(await testbed.clickhouse("SHOW TABLES FROM shop"), [["products"], ["sales_aggregates"], [
      "schema_migrations",
    ]]);
  }

  it("keeps the rows of more dates than an INSERT may fill by default", async () => {
    await insertDates(120);
    await migrate(testbed.context("old"));
    await checkMigrated();
  });

  for (let done = 1; done <= statements.length; done++) {
    it(`completes after an interruption behind statement ${done} of ${statements.length}`, async () => {
      for (const statement of statements.slice(0, done)) await testbed.clickhouse(statement);
      assertEquals(await testbed.clickhouse(ALL), before);
      await migrate(testbed.context("old"));
      await checkMigrated();
    });
  }

  it("waits for a running transfer, and fails with exit code 75 when it does not end", async () => {
    await testbed.postgres(async (db) => {
      await db.query("SELECT pg_advisory_lock(hashtextextended('salesflow:transfer', 0))");
      const error = await assertRejects(
        () => migrate(testbed.context("old"), { limits: SHORT_LIMITS }),
        SalesflowError,
        "salesflow test",
      );
      assertEquals(error.exitCode, 75);
    });
    assertEquals(await testbed.clickhouse("SHOW TABLES FROM shop"), [["sales_aggregates"], [
      "schema_migrations",
    ]]);
    await migrate(testbed.context("old"));
    await checkMigrated();
  });

  it("creates products so that REPLACE PARTITION replaces all rows at once", async () => {
    await migrate(testbed.context("old"));
    await testbed.clickhouse("INSERT INTO shop.products VALUES (1, NULL, 'old', 'Home', 1, 2)");
    await testbed.clickhouse("CREATE TABLE shop.staging AS shop.products");
    await testbed.clickhouse(
      "INSERT INTO shop.staging VALUES (9223372036854775807, '85123A', 'new', 'Home', 0.01, 999999999999.99)",
    );
    await testbed.clickhouse("ALTER TABLE shop.products REPLACE PARTITION tuple() FROM shop.staging");
    assertEquals(await testbed.clickhouse("SELECT * FROM shop.products"), [
      ["9223372036854775807", "85123A", "new", "Home", "0.01", "999999999999.99"],
    ]);
  });
});
