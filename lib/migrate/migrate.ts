/** migrate: brings both databases to the schema of this version. */
import { type ClickHouse, withClickHouse } from "../clickhouse/session.ts";
import { ClickHouseFailure } from "../clickhouse/errors.ts";
import { SalesflowError } from "../console/errors.ts";
import { type DatabaseLimits, DEFAULT_LIMITS } from "../connection/limits.ts";
import { logger } from "../console/log.ts";
import type { StageContext, StageResult } from "../pipeline/stage.ts";
import { takeLock } from "../postgres/lock.ts";
import { type Postgres, withPostgres } from "../postgres/session.ts";
import clickhouseJournal from "./clickhouse/journal.sql" with { type: "text" };
import clickhouseRoles from "./clickhouse/roles.sql" with { type: "text" };
import {
  CLICKHOUSE_MIGRATIONS,
  type Migration,
  pendingMigrations,
  POSTGRES_MIGRATIONS,
  splitStatements,
} from "./migrations.ts";
import postgresJournal from "./postgres/journal.sql" with { type: "text" };
import postgresRoles from "./postgres/roles.sql" with { type: "text" };

/** The oldest server with everything that load needs (client_connection_check_interval, COPY FREEZE that marks pages visible). */
const OLDEST_POSTGRES = 14;

/** ClickHouse's code for a missing right. */
const ACCESS_DENIED = "497";

/** What {@linkcode migrate} may be told. */
export interface MigrateOptions {
  /** Also make the roles salesflow_writer and salesflow_reader. @default {false} */
  roles?: boolean;
  /** @default {DEFAULT_LIMITS} */
  limits?: DatabaseLimits;
  /** @default {POSTGRES_MIGRATIONS} */
  postgresMigrations?: readonly Migration[];
  /** @default {CLICKHOUSE_MIGRATIONS} */
  clickhouseMigrations?: readonly Migration[];
}

async function checkServer(db: Postgres): Promise<string> {
  const { number, version, encoding } = await db.one(
    "SELECT current_setting('server_version_num') AS number, current_setting('server_version') AS version, current_setting('server_encoding') AS encoding",
  );
  if (Number(number) < OLDEST_POSTGRES * 10_000) {
    throw new SalesflowError(`PostgreSQL at ${db.server} is version ${version}`, {
      stage: "migrate",
      remedy: `Use PostgreSQL ${OLDEST_POSTGRES} or newer.`,
    });
  }
  if (encoding !== "UTF8") {
    throw new SalesflowError(`The database at ${db.server} is encoded in ${encoding}`, {
      stage: "migrate",
      remedy: "Create the database with ENCODING 'UTF8': names and rejected rows hold any text.",
    });
  }
  return version!;
}

async function migratePostgres(db: Postgres, migrations: readonly Migration[]): Promise<string[]> {
  const journal = await db.one("SELECT to_regclass('shop.schema_migrations') AS name");
  if (journal.name === null) await db.transaction(() => db.query(postgresJournal));
  const rows = await db.query("SELECT version, name, checksum FROM shop.schema_migrations ORDER BY version");
  const applied = rows.map(({ version, name, checksum }) => ({
    version: Number(version),
    name: name!,
    checksum: checksum!,
  }));
  const pending = pendingMigrations(migrations, applied, `PostgreSQL at ${db.server}`);
  for (const { version, name, checksum, sql } of pending) {
    await db.transaction(async () => {
      await db.query(sql);
      await db.query("INSERT INTO shop.schema_migrations (version, name, checksum) VALUES ($1, $2, $3)", [
        version,
        name,
        checksum,
      ]);
    });
    logger("migrate").info(`PostgreSQL: applied ${name}`);
  }
  return pending.map(({ name }) => name);
}

async function hasJournal(db: ClickHouse): Promise<boolean> {
  const found = await db.rows(
    "SELECT 1 FROM system.tables WHERE database = 'shop' AND name = 'schema_migrations'",
  );
  return found.length > 0;
}

async function migrateClickHouse(db: ClickHouse, migrations: readonly Migration[]): Promise<string[]> {
  if (!await hasJournal(db)) {
    for (const statement of splitStatements(clickhouseJournal)) await db.command(statement);
  }
  // A migration whose record was written twice by a retry is one migration.
  const rows = await db.rows(
    "SELECT DISTINCT version, name, checksum FROM shop.schema_migrations ORDER BY version",
  );
  const applied = rows.map(([version, name, checksum]) => ({
    version: Number(version),
    name: name!,
    checksum: checksum!,
  }));
  const pending = pendingMigrations(migrations, applied, `ClickHouse at ${db.server}`);
  for (const { version, name, checksum, sql } of pending) {
    for (const statement of splitStatements(sql)) await db.command(statement);
    await db.command(
      "INSERT INTO shop.schema_migrations (version, name, checksum) VALUES ({version:UInt32}, {name:String}, {checksum:String})",
      { version, name, checksum },
    );
    logger("migrate").info(`ClickHouse: applied ${name}`);
  }
  return pending.map(({ name }) => name);
}

/**
 * Makes the roles, in PostgreSQL always. In ClickHouse a user without access management may not; the embedded engine has
 * none at all.
 *
 * @returns the databases that have the roles now
 */
async function makeRoles(postgres: Postgres, clickhouse: ClickHouse): Promise<string[]> {
  await postgres.transaction(() => postgres.query(postgresRoles));
  try {
    for (const statement of splitStatements(clickhouseRoles)) await clickhouse.command(statement);
    return ["postgres", "clickhouse"];
  } catch (error) {
    if (!(error instanceof ClickHouseFailure) || error.code !== ACCESS_DENIED) throw error;
    logger("migrate").warn(`ClickHouse at ${clickhouse.server}: no roles were made: ${error.message}`);
    return ["postgres"];
  }
}

/**
 * Applies the migrations that are missing, one command at a time (a lock in PostgreSQL guards both databases).
 *
 * @throws {SalesflowError} when a database was migrated by another version of the program
 */
export async function migrate(context: StageContext, options: MigrateOptions = {}): Promise<StageResult> {
  const {
    roles = false,
    limits = DEFAULT_LIMITS,
    postgresMigrations = POSTGRES_MIGRATIONS,
    clickhouseMigrations = CLICKHOUSE_MIGRATIONS,
  } = options;
  const common = { stage: "migrate", signal: context.signal, limits };
  const facts = await withPostgres({ ...common, url: context.postgresUrl }, async (postgres) => {
    const postgresVersion = await checkServer(postgres);
    await takeLock(postgres, "salesflow:migrate", "session");
    return await withClickHouse({ ...common, url: context.clickhouseUrl }, async (clickhouse) => {
      const clickhouseVersion = (await clickhouse.rows("SELECT version()"))[0]?.[0] ?? "";
      const postgresApplied = await migratePostgres(postgres, postgresMigrations);
      const clickhouseApplied = await migrateClickHouse(clickhouse, clickhouseMigrations);
      const rolesIn = roles ? await makeRoles(postgres, clickhouse) : [];
      return {
        postgres: {
          version: postgresVersion,
          applied: postgresApplied,
          schema: postgresMigrations.at(-1)?.version ?? 0,
        },
        clickhouse: {
          version: clickhouseVersion,
          applied: clickhouseApplied,
          schema: clickhouseMigrations.at(-1)?.version ?? 0,
        },
        roles: rolesIn,
      };
    });
  });
  return { rowsIn: 0, rowsOut: 0, facts };
}
