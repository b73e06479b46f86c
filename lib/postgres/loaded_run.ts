/** Which run shop.sales holds. */
import { SalesflowError } from "../errors.ts";
import type { Postgres } from "./session.ts";

/**
 * Inside a transaction: keeps shop.sales as it is until the end (readers are not disturbed, the next load waits), and
 * makes sure that it holds the rows of this run. Must come before anything else in a REPEATABLE READ transaction.
 *
 * @throws {SalesflowError} when it holds another run
 */
export async function holdLoadedRun(db: Postgres, runId: string, stage: string): Promise<void> {
  await db.query("LOCK TABLE shop.sales IN ACCESS SHARE MODE");
  const [newest] = await db.query("SELECT run_id FROM shop.pipeline_runs ORDER BY loaded_at DESC LIMIT 1");
  if (newest?.run_id === runId) return;
  const found = newest ? `the rows of run ${newest.run_id}` : "no rows of any run";
  throw new SalesflowError(`shop.sales in PostgreSQL at ${db.server} holds ${found}, not those of ${runId}`, {
    stage,
    runId,
    remedy: `Run "salesflow load --run-id ${runId}" first${
      newest ? ", or name the run that is loaded" : ""
    }.`,
  });
}
