import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import { SalesflowError } from "../../../lib/console/errors.ts";
import { migrate } from "../../../lib/migrate/migrate.ts";
import {
  CLICKHOUSE_MIGRATIONS,
  type Migration,
  POSTGRES_MIGRATIONS,
} from "../../../lib/migrate/migrations.ts";
import { SHORT_LIMITS, Testbed } from "../tables/harness.ts";

/** Returns the migrations with one more. */
function withNext(known: readonly Migration[], sql: string): Migration[] {
  const version = known.length + 1;
  return [...known, { version, name: `000${version}_next.sql`, sql, checksum: `sum of ${sql}` }];
}

function namesOf(migrations: readonly Migration[]): string[] {
  return migrations.map(({ name }) => name);
}

describe("migrate()", () => {
  let testbed: Testbed;
  beforeAll(async () => {
    testbed = await Testbed.open();
  });
  afterAll(() => testbed.close());
  beforeEach(async () => {
    await testbed.sql("DROP SCHEMA IF EXISTS shop CASCADE");
    await testbed.clickhouse("DROP DATABASE IF EXISTS shop SYNC");
  });

  it("migrate() creates the tables once, and changes nothing the second time", async () => {
    const first = await migrate(testbed.context("run"));
    const again = await migrate(testbed.context("run"));
    const applied = ({ facts }: typeof first) =>
      [facts.postgres, facts.clickhouse].map((facts) => (facts as { applied: string[] }).applied);
    assertEquals(applied(first), [POSTGRES_MIGRATIONS, CLICKHOUSE_MIGRATIONS].map(namesOf));
    assertEquals(applied(again), [[], []]);
    assertEquals([first.summary, again.summary], ["applied 4 migrations", "the tables are up to date"]);
    const tables = await testbed.values(
      "SELECT relname FROM pg_class WHERE relnamespace = 'shop'::regnamespace AND relkind IN ('r', 'p') ORDER BY 1",
    );
    const names = [
      "pipeline_runs",
      "products",
      "rejected_sales",
      "sales",
      "sales_aggregates",
      "schema_migrations",
    ];
    assertEquals(tables.flat(), names);
    assertEquals(await testbed.clickhouse("SHOW TABLES FROM shop"), [["products"], ["sales_aggregates"], [
      "schema_migrations",
    ]]);
  });

  it("migrate() applies each file once when run concurrently", async () => {
    await Promise.all([1, 2, 3].map(() => migrate(testbed.context("run"))));
    const query = "SELECT version FROM shop.schema_migrations ORDER BY version";
    assertEquals(await testbed.values(query), [["1"], ["2"]]);
    assertEquals(await testbed.clickhouse(query), [["1"], ["2"]]);
  });

  it("migrate() rolls back a PostgreSQL file that fails, and applies it once it is fixed", async () => {
    const broken = withNext(POSTGRES_MIGRATIONS, "CREATE TABLE shop.half (a integer); SELECT nonsense;");
    const error = await assertRejects(
      () => migrate(testbed.context("run"), { postgresMigrations: broken }),
      SalesflowError,
    );
    assertStringIncludes(error.message, "nonsense");
    assertEquals(await testbed.values("SELECT to_regclass('shop.half')"), [[null]]);
    const fixed = withNext(POSTGRES_MIGRATIONS, "CREATE TABLE shop.half (a integer);");
    await migrate(testbed.context("run"), { postgresMigrations: fixed });
    assertEquals(await testbed.values("SELECT max(version) FROM shop.schema_migrations"), [["3"]]);
  });

  it("migrate() completes a ClickHouse file that was interrupted after its first statement", async () => {
    const statement = (name: string) =>
      `CREATE TABLE IF NOT EXISTS shop.${name} (a Int32) ENGINE = MergeTree ORDER BY a;`;
    const migrations = withNext(CLICKHOUSE_MIGRATIONS, `${statement("first")}\n${statement("second")}\n`);
    await migrate(testbed.context("run"));
    await testbed.clickhouse(statement("first").slice(0, -1));
    await migrate(testbed.context("run"), { clickhouseMigrations: migrations });
    const tables = await testbed.clickhouse("SHOW TABLES FROM shop");
    assertEquals(tables.flat(), ["first", "products", "sales_aggregates", "schema_migrations", "second"]);
  });

  const refusals = [
    {
      name: "a different checksum of a file",
      message: "different version of the schema",
      change: (checksum: string) => `x${checksum}`,
      version: 1,
    },
    {
      name: "an unknown migration",
      message: "newer schema",
      change: (checksum: string) => checksum,
      version: 7,
    },
  ];
  for (const { name, message, change, version } of refusals) {
    it(`migrate() throws when PostgreSQL has ${name}`, async () => {
      await migrate(testbed.context("run"));
      const sum = change(POSTGRES_MIGRATIONS[0]!.checksum);
      await testbed.sql("DELETE FROM shop.schema_migrations WHERE version = $1", [version]);
      await testbed.sql("INSERT INTO shop.schema_migrations (version, name, checksum) VALUES ($1, 'x', $2)", [
        version,
        sum,
      ]);
      const error = await assertRejects(() => migrate(testbed.context("run")), SalesflowError, message);
      assertEquals(error.exitCode, 1);
      assert(error.remedy);
    });

    it(`migrate() throws when ClickHouse has ${name}`, async () => {
      await migrate(testbed.context("run"));
      const sum = change(CLICKHOUSE_MIGRATIONS[0]!.checksum);
      if (version === 1) await testbed.clickhouse("TRUNCATE TABLE shop.schema_migrations");
      await testbed.clickhouse(
        `INSERT INTO shop.schema_migrations (version, name, checksum) VALUES (${version}, 'x', '${sum}')`,
      );
      await assertRejects(() => migrate(testbed.context("run")), SalesflowError, message);
    });
  }

  it("migrate() throws when the database's encoding is not UTF8", async () => {
    await testbed.sql(
      "CREATE DATABASE plain ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'",
    );
    const url = new URL(testbed.postgresUrl);
    url.pathname = "/plain";
    await assertRejects(
      () => migrate(testbed.context("run", { postgresUrl: url.href })),
      SalesflowError,
      "SQL_ASCII",
    );
  });

  it("migrate() throws with the holder's name when another command holds the lock too long", async () => {
    await migrate(testbed.context("run"));
    await testbed.postgres(async (db) => {
      await db.query("SELECT pg_advisory_lock(hashtextextended('salesflow:migrate', 0))");
      const error = await assertRejects(
        () => migrate(testbed.context("run"), { limits: SHORT_LIMITS }),
        SalesflowError,
        "salesflow test",
      );
      assertEquals(error.exitCode, 75);
    });
  });
});
