/** One consistent look at the shop's tables. */
import { DEFAULT_LIMITS, statementMsFor } from "../connection/limits.ts";
import type { StageContext } from "../pipeline/stage.ts";
import { holdLoadedRun } from "../postgres/loaded_run.ts";
import { type Postgres, withPostgres } from "../postgres/session.ts";
import lockSql from "./sql/lock.sql" with { type: "text" };

/** Enough for a hash of some hundred thousand customers, so that counting them does not touch the disk. */
const WORK_MEM = "64MB";

/**
 * Calls `work` inside a read-only transaction whose queries all see the same state, that of the context's run. It may be
 * called again when the connection breaks.
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
      await holdLoadedRun(db, runId, "report");
      // Compiling the expressions takes longer than it saves until there are tens of millions of rows.
      await db.query("SELECT set_config('work_mem', $1, true), set_config('jit', 'off', true)", [WORK_MEM]);
      return await work(db);
    }, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"));
}

/** Gives the statements that follow time enough for a table of so many rows. */
export async function allowRows(db: Postgres, rows: bigint): Promise<void> {
  await db.allow(statementMsFor(DEFAULT_LIMITS, Number(rows)));
}
