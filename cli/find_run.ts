/** Finds the run that a command line selects. */
import { SalesflowError } from "../lib/console/errors.ts";
import { isAsOfDate, type IsoDate, today } from "../lib/domain/dates.ts";
import { readRun, runNotFound, type RunRecord } from "../lib/pipeline/records.ts";
import type { Store } from "../lib/store/store.ts";

/**
 * Returns the name and the as-of date of the run that the options select.
 *
 * @param newRun whether the run may be new; with a source instead of `true`, it gets new sales: generated ones, which can be made again,
 * may be replaced, ingested ones only by ingested ones
 * @throws {SalesflowError} with exit code 2 when there is no such run, or another one of that name
 */
export async function findRun(
  store: Store,
  { runId, asOf }: { runId?: string | undefined; asOf?: string | undefined },
  newRun: boolean | RunRecord["source"],
): Promise<{ runId: string; asOf: IsoDate }> {
  const id = runId ?? asOf ?? today();
  const run = await readRun(store, id);
  if (run && !newRun && asOf && asOf !== run.as_of) {
    throw new SalesflowError(`Run ${id} is as of ${run.as_of}, not ${asOf}`, {
      exitCode: 2,
      remedy: "Omit --as-of, or pass another --run-id.",
    });
  }
  if (run?.source === "ingested" && newRun === "generated") {
    throw new SalesflowError(`Run ${id} was ingested: it cannot be replaced by generated sales`, {
      exitCode: 2,
      remedy: "Pass another --run-id.",
    });
  }
  if (!run && !newRun) throw runNotFound(store, id);
  return { runId: id, asOf: asOf ?? run?.as_of ?? (isAsOfDate(id) ? id : today()) };
}
