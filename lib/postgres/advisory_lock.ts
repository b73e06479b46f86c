/** Locks between commands, as PostgreSQL's advisory locks: they end with the connection, so a killed command holds none. */
import { SalesflowError } from "../console/errors.ts";
import { PostgresFailure } from "./errors.ts";
import lockHolder from "./lock_holder.sql" with { type: "text" };
import type { Postgres } from "./session.ts";

const KEY = "hashtextextended($1, 0)";

/**
 * Acquires the lock called `name`, waiting for its holder up to `lockTimeoutMs` of the session's limits.
 *
 * @param scope whether the lock lasts until the connection or the transaction ends
 * @throws {SalesflowError} exit code 75 when the lock is not released in time
 */
export async function acquireAdvisoryLock(
  db: Postgres,
  name: string,
  scope: "session" | "transaction",
): Promise<void> {
  const acquire = scope === "session" ? "pg_advisory_lock" : "pg_advisory_xact_lock";
  const { before } = await db.one("SELECT current_setting('lock_timeout') AS before");
  const { statementTimeoutMs } = db;
  // The lock timeout must expire before the statement timeout: only its error leads to the holder.
  await db.setStatementTimeout(statementTimeoutMs + db.limits.lockTimeoutMs);
  await db.query("SELECT set_config('lock_timeout', $1, false)", [String(db.limits.lockTimeoutMs)]);
  try {
    await db.query(`SELECT ${acquire}(${KEY})`, [name]);
  } catch (error) {
    if (!(error instanceof PostgresFailure && error.code === "55P03")) throw error;
    if (scope === "transaction") await db.query("ROLLBACK");
    const [holder] = await db.query(lockHolder, [name]);
    const description = holder
      ? `${holder.application_name || "a session"} (pid ${holder.pid}, since ${holder.since} UTC)`
      : "another session";
    throw new SalesflowError(
      `${description} is doing the same work in PostgreSQL at ${db.server} and did not release its lock within ${
        db.limits.lockTimeoutMs / 1000
      } s`,
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
