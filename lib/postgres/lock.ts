/** Locks between commands, kept by PostgreSQL: they vanish with the connection, so a dead command holds none. */
import { SalesflowError } from "../console/errors.ts";
import { PostgresFailure } from "./errors.ts";
import lockHolder from "./lock_holder.sql" with { type: "text" };
import type { Postgres } from "./session.ts";

const KEY = "hashtextextended($1, 0)";

/**
 * Takes the lock called `name`, waiting for another command up to the session's limit.
 *
 * @param scope until the connection ends, or the transaction
 * @throws {SalesflowError} exit code 75 when another command keeps it
 */
export async function takeLock(db: Postgres, name: string, scope: "session" | "transaction"): Promise<void> {
  const taker = scope === "session" ? "pg_advisory_lock" : "pg_advisory_xact_lock";
  const { before } = await db.one("SELECT current_setting('lock_timeout') AS before");
  const { statementMs } = db;
  // The lock's own time limit must come first: only it tells who holds the lock.
  await db.allow(statementMs + db.limits.lockWaitMs);
  await db.query("SELECT set_config('lock_timeout', $1, false)", [String(db.limits.lockWaitMs)]);
  try {
    await db.query(`SELECT ${taker}(${KEY})`, [name]);
  } catch (error) {
    if (!(error instanceof PostgresFailure && error.code === "55P03")) throw error;
    if (scope === "transaction") await db.query("ROLLBACK");
    const [holder] = await db.query(lockHolder, [name]);
    const who = holder
      ? `${holder.application_name || "a session"} (pid ${holder.pid}, since ${holder.since} UTC)`
      : "another session";
    throw new SalesflowError(
      `${who} is at the same work in PostgreSQL at ${db.server}, and held its lock for ${
        db.limits.lockWaitMs / 1000
      } s`,
      {
        exitCode: 75,
        remedy: "Wait until it is done, then run again.",
        cause: error,
      },
    );
  }
  await db.query("SELECT set_config('lock_timeout', $1, false)", [before]);
  await db.allow(statementMs);
}
