/** Locks between commands, as PostgreSQL's advisory locks: they end with the connection, so a killed command holds none. */
import { SalesflowError } from "../console/errors.ts";
import { escapePlaceholders, logger } from "../console/log.ts";
import { PostgresFailure } from "./errors.ts";
import lockHolder from "./lock_holder.sql" with { type: "text" };
import type { Postgres } from "./session.ts";

/**
 * Name of the lock of transfer, which writes ClickHouse's tables; migrate takes it, too. Its holder may take transfer's staging
 * tables of its prefix for left behind.
 */
export const TRANSFER_LOCK = "salesflow:transfer";

const KEY = "hashtextextended($1, 0)";

async function describeHolder(db: Postgres, name: string): Promise<string> {
  const [holder] = await db.query(lockHolder, [name]);
  return holder
    ? `${holder.application_name || "a session"} (pid ${holder.pid}, since ${holder.since} UTC)`
    : "another session";
}

/**
 * Acquires the lock called `name`, waiting for its holder up to `lockTimeoutMs` of the session's limits. The log says for
 * whom it waits.
 *
 * @param scope whether the lock lasts until the connection or the transaction ends
 * @throws {SalesflowError} exit code 75 when the lock is not released in time
 */
export async function acquireAdvisoryLock(
  db: Postgres,
  name: string,
  scope: "session" | "transaction",
): Promise<void> {
  const suffix = scope === "session" ? "advisory_lock" : "advisory_xact_lock";
  const { acquired } = await db.one(`SELECT pg_try_${suffix}(${KEY}) AS acquired`, [name]);
  if (acquired === "t") return;
  const limitS = db.limits.lockTimeoutMs / 1000;
  const waiting = `waiting up to ${limitS} s for ${await describeHolder(db, name)}, which does the same work`;
  logger("postgres").info(escapePlaceholders(`${db.server}: ${waiting}`));
  const { before } = await db.one("SELECT current_setting('lock_timeout') AS before");
  const { statementTimeoutMs } = db;
  // The lock timeout must expire before the statement timeout: only its error leads to the holder.
  await db.setStatementTimeout(statementTimeoutMs + db.limits.lockTimeoutMs);
  await db.query("SELECT set_config('lock_timeout', $1, false)", [String(db.limits.lockTimeoutMs)]);
  try {
    await db.query(`SELECT pg_${suffix}(${KEY})`, [name]);
  } catch (error) {
    if (!(error instanceof PostgresFailure && error.code === "55P03")) throw error;
    if (scope === "transaction") await db.query("ROLLBACK");
    const description = await describeHolder(db, name);
    throw new SalesflowError(
      `${description} is doing the same work in PostgreSQL at ${db.server} and did not release its lock within ${limitS} s`,
      {
        exitCode: 75,
        remedy: "Wait until it has finished, then run again.",
        cause: error,
      },
    );
  }
  await db.query("SELECT set_config('lock_timeout', $1, false)", [before]);
  await db.setStatementTimeout(statementTimeoutMs);
}
