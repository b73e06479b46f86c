/** Which runs the tables hold. */
import { SalesflowError } from "../console/errors.ts";
import { type Postgres, withPostgres } from "./session.ts";

/** The tables hold another run than the one that a stage works on. Repeating the stage does not help. */
export class OtherRunError extends SalesflowError {
  /** Name of the class. */
  override name = "OtherRunError";

  /** Returns the error for a run that was in the tables until another command replaced it: exit code 75. */
  asReplaced(): SalesflowError {
    const { stage, runId } = this;
    return new SalesflowError(
      `${this.message}: another command published that run while this run was in progress`,
      {
        exitCode: 75,
        ...(stage ? { stage } : {}),
        ...(runId ? { runId } : {}),
        remedy: `Run it again from load: salesflow run --from load --run-id ${runId}`,
      },
    );
  }
}

const NEWEST_RUN = "SELECT run_id FROM shop.pipeline_runs ORDER BY loaded_at DESC LIMIT 1";

/** Returns the runs in shop.sales and shop.sales_aggregates; null for an empty or missing table. */
export async function readTableRuns(
  { postgresUrl: url, signal }: { postgresUrl: string; signal: AbortSignal },
): Promise<{ loaded: string | null; aggregated: string | null }> {
  return await withPostgres({ url, stage: "run", signal }, async (db) => {
    const { migrated } = await db.one(
      "SELECT to_regclass('shop.pipeline_runs') IS NOT NULL AND to_regclass('shop.sales_aggregates') IS NOT NULL AS migrated",
    );
    if (migrated !== "t") return { loaded: null, aggregated: null };
    const [newest] = await db.query(NEWEST_RUN);
    const { aggregated } = await db.one("SELECT max(run_id) AS aggregated FROM shop.sales_aggregates");
    return { loaded: newest?.run_id ?? null, aggregated: aggregated! };
  });
}

/** Returns how to get the run's aggregates. `aggregate` alone is enough only when the run's sales are loaded. */
export async function aggregatesRemedy(db: Postgres, runId: string): Promise<string> {
  const [newest] = await db.query(NEWEST_RUN);
  return newest?.run_id === runId
    ? `Run: salesflow aggregate --run-id ${runId}`
    : `Run: salesflow run --from load --run-id ${runId}`;
}

/**
 * Locks shop.sales against replacement until the transaction ends, and checks that it holds the rows of this run. Readers
 * are not blocked; the next load waits. Must be the first query of a REPEATABLE READ transaction, before its snapshot
 * is taken.
 *
 * @throws {OtherRunError} when the table holds another run
 * @throws {SalesflowError} when it holds none
 */
export async function lockLoadedRun(db: Postgres, runId: string, stage: string): Promise<void> {
  await db.query("LOCK TABLE shop.sales IN ACCESS SHARE MODE");
  const [newest] = await db.query(NEWEST_RUN);
  if (newest?.run_id === runId) return;
  const reload = `Run: salesflow run --from load --run-id ${runId}`;
  const table = `shop.sales in PostgreSQL at ${db.server}`;
  if (!newest) {
    throw new SalesflowError(`${table} holds no rows of any run, not those of ${runId}`, {
      stage,
      runId,
      remedy: reload,
    });
  }
  throw new OtherRunError(`${table} holds the rows of run ${newest.run_id}, not those of ${runId}`, {
    stage,
    runId,
    remedy: `${reload}; or name the run that is loaded: --run-id ${newest.run_id}`,
  });
}
