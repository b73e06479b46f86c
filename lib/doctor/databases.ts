/** Checks both databases: server version, whether it accepts writes, and the user's privileges. */
import { clickhouseError, ClickHouseFailure } from "../clickhouse/errors.ts";
import { type ClickHouse, withClickHouse } from "../clickhouse/session.ts";
import { type DatabaseLimits, DEFAULT_LIMITS } from "../connection/limits.ts";
import { withPostgres } from "../postgres/session.ts";
import { type CheckResult, failedCheck } from "./finding.ts";
import missingPrivileges from "./missing_privileges.sql" with { type: "text" };

/** Oldest server versions that support all SQL in use. */
const MIN_POSTGRES_VERSION = 140_000;
const MIN_CLICKHOUSE_VERSION = [23, 8] as const;

/** No retries: doctor reports the current state, and soon. */
const LIMITS: DatabaseLimits = { ...DEFAULT_LIMITS, retries: 0, statementTimeoutMs: 10_000 };

/** Privileges that transfer and migrate need in ClickHouse. */
const CLICKHOUSE_PRIVILEGES = ["SELECT", "INSERT", "CREATE TABLE", "DROP TABLE", "ALTER DELETE"];

/** Facts about a PostgreSQL server and its user. */
export interface PostgresFacts {
  /** Host, port and database. */
  server: string;
  /** Version as the server reports it. */
  version: string;
  /** `server_version_num`, such as 180001. */
  versionNumber: number;
  /** Whether it is a read-only replica. */
  replica: boolean;
  /** Whether the schema shop exists. */
  migrated: boolean;
  /** Missing privileges, such as `INSERT on shop.products`. */
  missing: readonly string[];
}

/** Derives the result of {@linkcode checkPostgres} from the facts. */
export function diagnosePostgres(
  { server, version, versionNumber, replica, migrated, missing }: PostgresFacts,
): CheckResult {
  const summary = `version ${version} at ${server}`;
  if (versionNumber < MIN_POSTGRES_VERSION) {
    return { state: "failed", message: summary, remedy: "Use PostgreSQL 14 or newer." };
  }
  if (replica) {
    return {
      state: "failed",
      message: `${summary} is a read-only replica`,
      remedy: "Use the primary server's address.",
    };
  }
  if (missing.length > 0) {
    return {
      state: "failed",
      message: `${summary}: this user lacks ${missing.join("; ")}`,
      remedy: migrated
        ? "Grant this user the role salesflow_writer (created by salesflow migrate --roles), or connect as the owner of the schema shop."
        : "Run salesflow migrate as an owner of the database, or grant this user the missing privileges.",
    };
  }
  return {
    state: "ok",
    message: `${summary}, ${migrated ? "tables exist and are writable" : "tables can be created"}`,
  };
}

/** Checks PostgreSQL. @throws {SalesflowError} when it cannot be reached */
export async function checkPostgres(url: string, signal: AbortSignal): Promise<CheckResult> {
  return await withPostgres({ url, stage: "doctor", signal, limits: LIMITS }, async (db) => {
    const facts = await db.one(`SELECT current_setting('server_version') AS version,
      current_setting('server_version_num') AS number, pg_is_in_recovery() AS replica,
      EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'shop' AND c.relname = 'sales') AS migrated`);
    const missing = await db.query(missingPrivileges);
    return diagnosePostgres({
      server: db.server,
      version: facts.version!,
      versionNumber: Number(facts.number),
      replica: facts.replica === "t",
      migrated: facts.migrated === "t",
      missing: missing.map(({ privilege }) => privilege!),
    });
  });
}

/** Facts about a ClickHouse server and its user. */
export interface ClickHouseFacts {
  /** Host and port. */
  server: string;
  /** Such as `26.3.1.12`. */
  version: string;
  /** Whether the database shop exists. */
  migrated: boolean;
  /** Missing privileges, such as `INSERT on shop.*`. */
  missing: readonly string[];
  /** What failed when a staging table was tried out, because the server cannot report privileges. */
  failed?: { action: string; error: ClickHouseFailure };
}

/** Derives the result of {@linkcode checkClickHouse} from the facts. */
export function diagnoseClickHouse(
  { server, version, migrated, missing, failed }: ClickHouseFacts,
): CheckResult {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const summary = `version ${version} at ${server}`;
  const [minMajor, minMinor] = MIN_CLICKHOUSE_VERSION;
  if (major < minMajor || (major === minMajor && minor < minMinor)) {
    return {
      state: "failed",
      message: summary,
      remedy: `Use ClickHouse ${MIN_CLICKHOUSE_VERSION.join(".")} or newer.`,
    };
  }
  if (missing.length > 0) {
    return {
      state: "failed",
      message: `${summary}: this user lacks ${missing.join("; ")}`,
      remedy:
        "Grant this user the role salesflow_writer (created by salesflow migrate --roles), or the missing privileges.",
    };
  }
  if (failed) {
    const { message, remedy } = failedCheck(clickhouseError(failed.error, { server, stage: "doctor" }));
    return {
      state: "failed",
      message: `${summary}: cannot ${failed.action}: ${message}`,
      ...(remedy ? { remedy } : {}),
    };
  }
  return { state: "ok", message: `${summary}, ${migrated ? "tables exist" : "no tables yet"}` };
}

/** Returns the missing privileges on the database shop. @throws {ClickHouseFailure} when the server does not support CHECK GRANT (before 24.11) */
async function findMissingGrants(db: ClickHouse, privileges: readonly string[]): Promise<string[]> {
  const missing: string[] = [];
  for (const privilege of privileges) {
    const [row] = await db.rows(`CHECK GRANT ${privilege} ON shop.*`);
    if (row?.[0] !== "1") missing.push(`${privilege} on shop.*`);
  }
  return missing;
}

/** Creates, fills and drops a staging table like that of transfer; returns what failed, if anything. */
async function probeStagingTable(db: ClickHouse): Promise<Pick<ClickHouseFacts, "failed">> {
  const table = `shop.sales_aggregates_staging_doctor_${crypto.randomUUID().slice(0, 8)}`;
  const drop = `DROP TABLE IF EXISTS ${table} SYNC`;
  const steps = [
    ["create a staging table", `CREATE TABLE ${table} AS shop.sales_aggregates`],
    ["fill a staging table", `INSERT INTO ${table} SELECT * FROM shop.sales_aggregates LIMIT 0`],
    ["drop a staging table", drop],
  ] as const;
  for (const [action, statement] of steps) {
    try {
      await db.command(statement);
    } catch (error) {
      if (!(error instanceof ClickHouseFailure) || error.transient) throw error;
      await db.command(drop).catch(() => {});
      return { failed: { action, error } };
    }
  }
  return {};
}

/** Checks ClickHouse. @throws {SalesflowError} when it cannot be reached */
export async function checkClickHouse(url: string, signal: AbortSignal): Promise<CheckResult> {
  return await withClickHouse({ url, stage: "doctor", signal, limits: LIMITS }, async (db) => {
    const [[version = ""] = []] = await db.rows("SELECT version()");
    const [[databases] = []] = await db.rows("SELECT count() FROM system.databases WHERE name = 'shop'");
    const [[tables] = []] = await db.rows(
      "SELECT count() FROM system.tables WHERE database = 'shop' AND name = 'sales_aggregates'",
    );
    const migrated = tables === "1";
    const privileges = databases === "1"
      ? CLICKHOUSE_PRIVILEGES
      : ["CREATE DATABASE", ...CLICKHOUSE_PRIVILEGES];
    const facts = { server: db.server, version, migrated };
    try {
      return diagnoseClickHouse({ ...facts, missing: await findMissingGrants(db, privileges) });
    } catch (error) {
      if (!(error instanceof ClickHouseFailure) || error.transient) throw error;
      const probed = migrated ? await probeStagingTable(db) : {};
      return diagnoseClickHouse({ ...facts, missing: [], ...probed });
    }
  });
}
