/** Consistent reads of the shop's tables. */
import { DEFAULT_LIMITS, statementTimeoutForRows } from "../connection/limits.ts";
import type { StageContext } from "../pipeline/stage.ts";
import { lockLoadedRun } from "../postgres/loaded_run.ts";
import { type Postgres, withPostgres } from "../postgres/session.ts";
import lockSql from "./sql/lock_tables.sql" with { type: "text" };

/** Enough to count a few hundred thousand customers with an in-memory hash instead of temporary files. */
const WORK_MEM = "64MB";

/**
 * Calls `work` in a read-only transaction whose queries all see the same snapshot, with the context's run in shop.sales.
 * A lost connection may repeat the call.
 *
 * @throws {SalesflowError} when shop.sales holds another run
 */
export function withSnapshot<Result>(
  context: Pick<StageContext, "postgresUrl" | "runId" | "signal">,
  work: (db: Postgres) => Promise<Result>,
): Promise<Result> {
  const { postgresUrl: url, runId, signal } = context;
  return withPostgres({ url, stage: "report", signal }, (db) =>
    db.transaction(async () => {
      await db.query(lockSql);
      await lockLoadedRun(db, runId, "report");
      // JIT compilation costs more than it saves below tens of millions of rows.
      await db.query("SELECT set_config('work_mem', $1, true), set_config('jit', 'off', true)", [WORK_MEM]);
      return await work(db);
    }, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"));
}

/** Raises the timeout of the following statements to what a table of `rows` rows needs. */
export async function extendStatementTimeout(db: Postgres, rows: bigint): Promise<void> {
  await db.setStatementTimeout(statementTimeoutForRows(DEFAULT_LIMITS, Number(rows)));
}
