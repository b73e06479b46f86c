import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import { SalesflowError } from "../../../lib/console/errors.ts";
import { migrate } from "../../../lib/migrate/migrate.ts";
import {
  CLICKHOUSE_MIGRATIONS,
  type Migration,
  POSTGRES_MIGRATIONS,
} from "../../../lib/migrate/migrations.ts";
import { IMPATIENT, Place } from "../tables/harness.ts";

function next(known: readonly Migration[], sql: string): Migration[] {
  const version = known.length + 1;
  return [...known, { version, name: `000${version}_next.sql`, sql, checksum: `sum of ${sql}` }];
}

describe("migrate()", () => {
  let place: Place;
  beforeAll(async () => {
    place = await Place.open();
  });
  afterAll(() => place.close());
  beforeEach(async () => {
    await place.sql("DROP SCHEMA IF EXISTS shop CASCADE");
    await place.clickhouse("DROP DATABASE IF EXISTS shop SYNC");
  });

  it("migrate() makes the tables once, and changes nothing the second time", async () => {
    const first = await migrate(place.context("run"));
    const again = await migrate(place.context("run"));
    const applied = ({ facts }: typeof first) =>
      [facts.postgres, facts.clickhouse].map((facts) => (facts as { applied: string[] }).applied);
    assertEquals(applied(first), [["0001_shop.sql"], ["0001_shop.sql"]]);
    assertEquals(applied(again), [[], []]);
    const tables = await place.values(
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
    assertEquals(await place.clickhouse("SHOW TABLES FROM shop"), [["sales_aggregates"], [
      "schema_migrations",
    ]]);
  });

  it("migrate() applies each file once when several commands start together", async () => {
    await Promise.all([1, 2, 3].map(() => migrate(place.context("run"))));
    assertEquals(await place.values("SELECT version FROM shop.schema_migrations"), [["1"]]);
    assertEquals(await place.clickhouse("SELECT version FROM shop.schema_migrations"), [["1"]]);
  });

  it("migrate() leaves nothing of a PostgreSQL file that fails, and goes on when it was mended", async () => {
    const broken = next(POSTGRES_MIGRATIONS, "CREATE TABLE shop.half (a integer); SELECT nonsense;");
    const error = await assertRejects(
      () => migrate(place.context("run"), { postgresMigrations: broken }),
      SalesflowError,
    );
    assertStringIncludes(error.message, "nonsense");
    assertEquals(await place.values("SELECT to_regclass('shop.half')"), [[null]]);
    const mended = next(POSTGRES_MIGRATIONS, "CREATE TABLE shop.half (a integer);");
    await migrate(place.context("run"), { postgresMigrations: mended });
    assertEquals(await place.values("SELECT max(version) FROM shop.schema_migrations"), [["2"]]);
  });

  it("migrate() finishes a ClickHouse file that was cut short after its first statement", async () => {
    const statement = (name: string) =>
      `CREATE TABLE IF NOT EXISTS shop.${name} (a Int32) ENGINE = MergeTree ORDER BY a;`;
    const migrations = next(CLICKHOUSE_MIGRATIONS, `${statement("first")}\n${statement("second")}\n`);
    await migrate(place.context("run"));
    await place.clickhouse(statement("first").slice(0, -1));
    await migrate(place.context("run"), { clickhouseMigrations: migrations });
    const tables = await place.clickhouse("SHOW TABLES FROM shop");
    assertEquals(tables.flat(), ["first", "sales_aggregates", "schema_migrations", "second"]);
  });

  const refusals = [
    {
      name: "a file whose text changed",
      says: "another version of the schema",
      change: (checksum: string) => `x${checksum}`,
      version: 1,
    },
    {
      name: "a version that it does not know",
      says: "newer schema",
      change: (checksum: string) => checksum,
      version: 7,
    },
  ];
  for (const { name, says, change, version } of refusals) {
    it(`migrate() refuses two versions of the schema: PostgreSQL with ${name}`, async () => {
      await migrate(place.context("run"));
      const sum = change(POSTGRES_MIGRATIONS[0]!.checksum);
      await place.sql("DELETE FROM shop.schema_migrations WHERE version = $1", [version]);
      await place.sql("INSERT INTO shop.schema_migrations (version, name, checksum) VALUES ($1, 'x', $2)", [
        version,
        sum,
      ]);
      const error = await assertRejects(() => migrate(place.context("run")), SalesflowError, says);
      assertEquals(error.exitCode, 1);
      assert(error.remedy);
    });

    it(`migrate() refuses two versions of the schema: ClickHouse with ${name}`, async () => {
      await migrate(place.context("run"));
      const sum = change(CLICKHOUSE_MIGRATIONS[0]!.checksum);
      if (version === 1) await place.clickhouse("TRUNCATE TABLE shop.schema_migrations");
      await place.clickhouse(
        `INSERT INTO shop.schema_migrations (version, name, checksum) VALUES (${version}, 'x', '${sum}')`,
      );
      await assertRejects(() => migrate(place.context("run")), SalesflowError, says);
    });
  }

  it("migrate() refuses a database that cannot hold any text", async () => {
    await place.sql(
      "CREATE DATABASE plain ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'",
    );
    const url = new URL(place.postgresUrl);
    url.pathname = "/plain";
    await assertRejects(
      () => migrate(place.context("run", { postgresUrl: url.href })),
      SalesflowError,
      "SQL_ASCII",
    );
  });

  it("migrate() waits for another command, and says who holds the lock when that takes too long", async () => {
    await migrate(place.context("run"));
    await place.postgres(async (db) => {
      await db.query("SELECT pg_advisory_lock(hashtextextended('salesflow:migrate', 0))");
      const error = await assertRejects(
        () => migrate(place.context("run"), { limits: IMPATIENT }),
        SalesflowError,
        "salesflow test",
      );
      assertEquals(error.exitCode, 75);
    });
  });
});
