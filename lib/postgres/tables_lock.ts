/**
 * The lock on all tables together. `salesflow run` holds it from load to report, so that two runs take turns as a whole,
 * and `salesflow load` while it loads. Stages that run as commands of their own cannot keep it from one process to the
 * next, and a lost connection loses it: such a run finds out by itself that it was replaced, see loaded_run.ts.
 */
import { acquireAdvisoryLock } from "./advisory_lock.ts";
import { withPostgres } from "./session.ts";

/**
 * Calls `work` while this process holds the lock, on a connection of its own.
 *
 * @throws {SalesflowError} exit code 75 when another command does not release it in time
 */
export function withTablesLock<T>(
  { postgresUrl: url, signal }: { postgresUrl: string; signal: AbortSignal },
  stage: string,
  work: () => Promise<T>,
): Promise<T> {
  return withPostgres({ url, stage, signal }, async (db) => {
    await acquireAdvisoryLock(db, "salesflow:tables", "session");
    return await work();
  });
}
