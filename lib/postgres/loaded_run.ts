/** Which runs the tables hold. */
import { SalesflowError } from "../console/errors.ts";
import { type Postgres, withPostgres } from "./session.ts";

const NEWEST = "SELECT run_id FROM shop.pipeline_runs ORDER BY loaded_at DESC LIMIT 1";

/** Whose rows shop.sales and shop.sales_aggregates hold; null where there are none, or no tables yet. */
export async function runsOfTables(
  { postgresUrl: url, signal }: { postgresUrl: string; signal: AbortSignal },
): Promise<{ loaded: string | null; aggregated: string | null }> {
  return await withPostgres({ url, stage: "run", signal }, async (db) => {
    const { migrated } = await db.one(
      "SELECT to_regclass('shop.pipeline_runs') IS NOT NULL AND to_regclass('shop.sales_aggregates') IS NOT NULL AS migrated",
    );
    if (migrated !== "t") return { loaded: null, aggregated: null };
    const [newest] = await db.query(NEWEST);
    const { aggregated } = await db.one("SELECT max(run_id) AS aggregated FROM shop.sales_aggregates");
    return { loaded: newest?.run_id ?? null, aggregated: aggregated! };
  });
}

/** What to do so that shop.sales_aggregates holds the run: aggregating alone does only when its sales are there. */
export async function aggregatesRemedy(db: Postgres, runId: string): Promise<string> {
  const [newest] = await db.query(NEWEST);
  return newest?.run_id === runId
    ? `Run: salesflow aggregate --run-id ${runId}`
    : `Run: salesflow run --from load --run-id ${runId}`;
}

/**
 * Inside a transaction: keeps shop.sales as it is until the end (readers are not disturbed, the next load waits), and
 * makes sure that it holds the rows of this run. Must come before anything else in a REPEATABLE READ transaction.
 *
 * @throws {SalesflowError} when it holds another run
 */
export async function holdLoadedRun(db: Postgres, runId: string, stage: string): Promise<void> {
  await db.query("LOCK TABLE shop.sales IN ACCESS SHARE MODE");
  const [newest] = await db.query(NEWEST);
  if (newest?.run_id === runId) return;
  const found = newest ? `the rows of run ${newest.run_id}` : "no rows of any run";
  throw new SalesflowError(`shop.sales in PostgreSQL at ${db.server} holds ${found}, not those of ${runId}`, {
    stage,
    runId,
    remedy: `Run: salesflow run --from load --run-id ${runId}${
      newest ? `; or name the run that is loaded: --run-id ${newest.run_id}` : ""
    }`,
  });
}
