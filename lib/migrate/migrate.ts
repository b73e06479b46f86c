/** migrate: upgrades both databases to the schema of this version. */
import { type ClickHouse, withClickHouse } from "../clickhouse/session.ts";
import { ClickHouseFailure } from "../clickhouse/errors.ts";
import { SalesflowError } from "../console/errors.ts";
import { type DatabaseLimits, DEFAULT_LIMITS, statementTimeoutForRows } from "../connection/limits.ts";
import { escapePlaceholders, logger } from "../console/log.ts";
import type { StageContext, StageResult } from "../pipeline/stage.ts";
import { acquireAdvisoryLock, TRANSFER_LOCK } from "../postgres/advisory_lock.ts";
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

/** The first version with client_connection_check_interval and with COPY FREEZE that marks pages all-visible, as load needs. */
const MIN_POSTGRES_VERSION = 14;

/** ClickHouse's error code for a missing privilege. */
const ACCESS_DENIED = "497";

/** Options of {@linkcode migrate}. */
export interface MigrateOptions {
  /** Whether to create the roles salesflow_writer and salesflow_reader. @default {false} */
  roles?: boolean;
  /** Timeouts and retries. @default {DEFAULT_LIMITS} */
  limits?: DatabaseLimits;
  /** Migrations of PostgreSQL. @default {POSTGRES_MIGRATIONS} */
  postgresMigrations?: readonly Migration[];
  /** Migrations of ClickHouse. @default {CLICKHOUSE_MIGRATIONS} */
  clickhouseMigrations?: readonly Migration[];
}

/** Checks the version and encoding of the server; returns its version. */
async function checkPostgres(db: Postgres): Promise<string> {
  const { number, version, encoding } = await db.one(
    "SELECT current_setting('server_version_num') AS number, current_setting('server_version') AS version, current_setting('server_encoding') AS encoding",
  );
  if (Number(number) < MIN_POSTGRES_VERSION * 10_000) {
    throw new SalesflowError(`PostgreSQL at ${db.server} is version ${version}`, {
      stage: "migrate",
      remedy: `Use PostgreSQL ${MIN_POSTGRES_VERSION} or newer.`,
    });
  }
  if (encoding !== "UTF8") {
    throw new SalesflowError(`The database at ${db.server} uses the encoding ${encoding}`, {
      stage: "migrate",
      remedy: "Create the database with ENCODING 'UTF8': names and rejected rows may contain any text.",
    });
  }
  return version!;
}

/** Returns the estimated number of rows in the schema shop, each of which a migration may write anew. */
async function countRows(db: Postgres): Promise<number> {
  const { rows } = await db.one(
    "SELECT coalesce(sum(reltuples) FILTER (WHERE reltuples > 0), 0) AS rows FROM pg_class WHERE relkind = 'r' AND relnamespace = to_regnamespace('shop')",
  );
  return Number(rows);
}

/** Applies pending migrations, each in a transaction; returns their names. */
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
  if (pending.length === 0) return [];
  await db.setStatementTimeout(statementTimeoutForRows(db.limits, await countRows(db)));
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
  await db.setStatementTimeout(db.limits.statementTimeoutMs);
  return pending.map(({ name }) => name);
}

async function hasMigrationTable(db: ClickHouse): Promise<boolean> {
  const found = await db.rows(
    "SELECT 1 FROM system.tables WHERE database = 'shop' AND name = 'schema_migrations'",
  );
  return found.length > 0;
}

/**
 * Applies pending migrations, statement by statement; returns their names.
 *
 * @param postgres holds the lock of transfer meanwhile, whose rows a migration that copies a table would miss
 */
async function migrateClickHouse(
  db: ClickHouse,
  postgres: Postgres,
  migrations: readonly Migration[],
): Promise<string[]> {
  if (!await hasMigrationTable(db)) {
    for (const statement of splitStatements(clickhouseJournal)) await db.command(statement);
  }
  // DISTINCT, because a retry may have recorded a migration twice.
  const rows = await db.rows(
    "SELECT DISTINCT version, name, checksum FROM shop.schema_migrations ORDER BY version",
  );
  const applied = rows.map(([version, name, checksum]) => ({
    version: Number(version),
    name: name!,
    checksum: checksum!,
  }));
  const pending = pendingMigrations(migrations, applied, `ClickHouse at ${db.server}`);
  if (pending.length === 0) return [];
  await acquireAdvisoryLock(postgres, TRANSFER_LOCK, "session");
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
 * Creates the roles. In ClickHouse this is skipped with a warning for a user without access management, and in the
 * embedded engine, which has none.
 *
 * @returns the databases that have the roles
 */
async function createRoles(postgres: Postgres, clickhouse: ClickHouse): Promise<string[]> {
  await postgres.transaction(() => postgres.query(postgresRoles));
  try {
    for (const statement of splitStatements(clickhouseRoles)) await clickhouse.command(statement);
    return ["postgres", "clickhouse"];
  } catch (error) {
    if (!(error instanceof ClickHouseFailure) || error.code !== ACCESS_DENIED) throw error;
    const message = `ClickHouse at ${clickhouse.server}: roles were not created: ${error.message}`;
    logger("migrate").warn(escapePlaceholders(message));
    return ["postgres"];
  }
}

/** Describes what a call of {@linkcode migrate} did. */
function summarize(
  { postgres, clickhouse, roles }: Record<"postgres" | "clickhouse", { applied: string[] }> & {
    roles: string[];
  },
): string {
  const count = postgres.applied.length + clickhouse.applied.length;
  const applied = count > 0
    ? `applied ${count} ${count === 1 ? "migration" : "migrations"}`
    : "the tables are up to date";
  return roles.length > 0 ? `${applied}, the roles exist` : applied;
}

/**
 * Applies pending migrations. A lock in PostgreSQL guards both databases against concurrent commands.
 *
 * @throws {SalesflowError} when a database was migrated by an incompatible version of salesflow
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
    const postgresVersion = await checkPostgres(postgres);
    await acquireAdvisoryLock(postgres, "salesflow:migrate", "session");
    return await withClickHouse({ ...common, url: context.clickhouseUrl }, async (clickhouse) => {
      const clickhouseVersion = (await clickhouse.rows("SELECT version()"))[0]?.[0] ?? "";
      const postgresApplied = await migratePostgres(postgres, postgresMigrations);
      const clickhouseApplied = await migrateClickHouse(clickhouse, postgres, clickhouseMigrations);
      const rolesIn = roles ? await createRoles(postgres, clickhouse) : [];
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
  return { rowsIn: 0, rowsOut: 0, facts, summary: summarize(facts) };
}
