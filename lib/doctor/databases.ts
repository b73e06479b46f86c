/** Doctor's look at both databases: version, whether they can be written, and what this user may do. */
import { ClickHouseFailure } from "../clickhouse/errors.ts";
import { type ClickHouse, withClickHouse } from "../clickhouse/session.ts";
import { type DatabaseLimits, DEFAULT_LIMITS } from "../connection/limits.ts";
import { withPostgres } from "../postgres/session.ts";
import type { Outcome } from "./finding.ts";
import postgresRights from "./postgres_rights.sql" with { type: "text" };

/** Oldest server versions that have everything the SQL uses. */
const OLDEST_POSTGRES = 140_000;
const OLDEST_CLICKHOUSE = [23, 8] as const;

/** One try: whoever examines wants the answer now. */
const LIMITS: DatabaseLimits = { ...DEFAULT_LIMITS, retries: 0, statementMs: 10_000 };

/** What transfer and migrate do in ClickHouse, as its GRANT calls it. */
const CLICKHOUSE_RIGHTS = ["SELECT", "INSERT", "CREATE TABLE", "DROP TABLE", "ALTER DELETE"];

/** Facts about a PostgreSQL server. */
export interface PostgresFacts {
  server: string;
  version: string;
  /** Such as 180001. */
  number: number;
  replica: boolean;
  migrated: boolean;
  /** Rights that the user lacks. */
  lacking: readonly string[];
}

/** Judges what {@linkcode checkPostgres} asked for. */
export function diagnosePostgres(
  { server, version, number, replica, migrated, lacking }: PostgresFacts,
): Outcome {
  const found = `version ${version} at ${server}`;
  if (number < OLDEST_POSTGRES) return { state: "broken", found, remedy: "Use PostgreSQL 14 or newer." };
  if (replica) {
    return {
      state: "broken",
      found: `${found} is a read-only replica`,
      remedy: "Use the primary server's address.",
    };
  }
  if (lacking.length > 0) {
    return {
      state: "broken",
      found: `${found}: this user lacks ${lacking.join("; ")}`,
      remedy: migrated
        ? "Grant this user the role salesflow_writer (salesflow migrate --roles makes it), or connect as the owner of the schema shop."
        : "Run salesflow migrate as an owner of the database, or grant this user what is lacking.",
    };
  }
  return {
    state: "fine",
    found: `${found}, tables ${migrated ? "are there and can be written" : "can be made"}`,
  };
}

/** Examines PostgreSQL. */
export async function checkPostgres(url: string, signal: AbortSignal): Promise<Outcome> {
  return await withPostgres({ url, stage: "doctor", signal, limits: LIMITS }, async (db) => {
    const facts = await db.one(`SELECT current_setting('server_version') AS version,
      current_setting('server_version_num') AS number, pg_is_in_recovery() AS replica,
      EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'shop' AND c.relname = 'sales') AS migrated`);
    const lacking = await db.query(postgresRights);
    return diagnosePostgres({
      server: db.server,
      version: facts.version!,
      number: Number(facts.number),
      replica: facts.replica === "t",
      migrated: facts.migrated === "t",
      lacking: lacking.map((row) => row.lacking!),
    });
  });
}

/** Facts about a ClickHouse server. */
export interface ClickHouseFacts {
  server: string;
  /** Such as `26.3.1.12`. */
  version: string;
  migrated: boolean;
  /** Rights that the user lacks. */
  lacking: readonly string[];
}

/** Judges what {@linkcode checkClickHouse} asked for. */
export function diagnoseClickHouse({ server, version, migrated, lacking }: ClickHouseFacts): Outcome {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const found = `version ${version} at ${server}`;
  const [oldestMajor, oldestMinor] = OLDEST_CLICKHOUSE;
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor)) {
    return { state: "broken", found, remedy: `Use ClickHouse ${OLDEST_CLICKHOUSE.join(".")} or newer.` };
  }
  if (lacking.length > 0) {
    return {
      state: "broken",
      found: `${found}: this user lacks ${lacking.join("; ")}`,
      remedy:
        "Grant this user the role salesflow_writer (salesflow migrate --roles makes it), or the rights that are lacking.",
    };
  }
  return { state: "fine", found: `${found}, tables ${migrated ? "are there" : "are not made yet"}` };
}

/** The rights on the database shop that the user lacks, as the server says. @throws {ClickHouseFailure} when it cannot say (before 24.11) */
async function lackingGrants(db: ClickHouse, rights: readonly string[]): Promise<string[]> {
  const lacking: string[] = [];
  for (const right of rights) {
    const [row] = await db.rows(`CHECK GRANT ${right} ON shop.*`);
    if (row?.[0] !== "1") lacking.push(`${right} on shop.*`);
  }
  return lacking;
}

/** What making, filling and dropping a table like that of a transfer runs into. */
async function lackingByTrying(db: ClickHouse): Promise<string[]> {
  const table = `shop.sales_aggregates_staging_doctor_${crypto.randomUUID().slice(0, 8)}`;
  try {
    await db.command(`CREATE TABLE ${table} AS shop.sales_aggregates`);
    await db.command(`INSERT INTO ${table} SELECT * FROM shop.sales_aggregates LIMIT 0`);
    await db.command(`DROP TABLE IF EXISTS ${table} SYNC`);
    return [];
  } catch (error) {
    if (!(error instanceof ClickHouseFailure) || error.transient) throw error;
    await db.command(`DROP TABLE IF EXISTS ${table} SYNC`).catch(() => {});
    return [error.message];
  }
}

/** Examines ClickHouse. */
export async function checkClickHouse(url: string, signal: AbortSignal): Promise<Outcome> {
  return await withClickHouse({ url, stage: "doctor", signal, limits: LIMITS }, async (db) => {
    const [[version = ""] = []] = await db.rows("SELECT version()");
    const [[databases] = []] = await db.rows("SELECT count() FROM system.databases WHERE name = 'shop'");
    const [[tables] = []] = await db.rows(
      "SELECT count() FROM system.tables WHERE database = 'shop' AND name = 'sales_aggregates'",
    );
    const migrated = tables === "1";
    const rights = databases === "1" ? CLICKHOUSE_RIGHTS : ["CREATE DATABASE", ...CLICKHOUSE_RIGHTS];
    const lacking = await lackingGrants(db, rights).catch((error) => {
      if (!(error instanceof ClickHouseFailure) || error.transient) throw error;
      return migrated ? lackingByTrying(db) : [];
    });
    return diagnoseClickHouse({ server: db.server, version, migrated, lacking });
  });
}
