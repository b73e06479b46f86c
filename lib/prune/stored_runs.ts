/** Runs in the store: their age, and their removal. */
import { SalesflowError } from "../console/errors.ts";
import { mapConcurrently } from "../dataset/map_concurrently.ts";
import { computeStageStates, orderStages } from "../pipeline/plan.ts";
import { listRuns, readRun, readStages, type StageRecord } from "../pipeline/records.ts";
import type { Lock, Store } from "../store/store.ts";
import type { KnownRun } from "./selection.ts";

/** Names of a run's records, which are removed last: a run that is half removed keeps its age, and is found again. */
const RECORDS = ["run.json", "stages"];

function timeOf({ started_at, finished_at }: StageRecord): number {
  return Date.parse(finished_at ?? started_at);
}

/** Reads when a run was last used and last verified. Both are undefined when its records are missing or unreadable. */
export async function readStoredRun(store: Store, runId: string): Promise<KnownRun> {
  try {
    const run = await readRun(store, runId);
    const { order, records } = orderStages(run, await readStages(store, runId));
    const times = [...records.values()].map(timeOf);
    const states = computeStageStates(order, records);
    const upToVerify = order.slice(1, order.indexOf("verify") + 1);
    const isVerified = upToVerify.every((stage) => states.get(stage) === "done");
    return {
      runId,
      lastUsedMs: times.length > 0 ? Math.max(...times) : undefined,
      verifiedMs: isVerified ? timeOf(records.get("verify")!) : undefined,
    };
  } catch (error) {
    if (!(error instanceof SalesflowError) || error.exitCode === 75) throw error;
    return { runId, lastUsedMs: undefined, verifiedMs: undefined };
  }
}

/** Reads all runs of a store. */
export async function readStoredRuns(store: Store): Promise<KnownRun[]> {
  return await mapConcurrently(await listRuns(store), (runId) => readStoredRun(store, runId));
}

/**
 * Removes the folder of a run. May be killed at any moment and called again: a dataset loses its manifest before its parts,
 * so that no stage takes what remains for complete.
 *
 * @param lock the lock on the run, which must be held and goes with the folder
 */
export async function removeStoredRun(store: Store, runId: string, lock: Lock): Promise<void> {
  const folder = `runs/${runId}`;
  await store.sweep(folder);
  const names = (await store.list(folder)).filter((name) => !name.startsWith(".lock-"));
  const isRecord = (name: string) => RECORDS.includes(name);
  for (const name of [...names.filter((name) => !isRecord(name)), ...names.filter(isRecord)]) {
    lock.lost.throwIfAborted();
    if (!isRecord(name)) await store.remove(`${folder}/${name}/manifest.json`);
    await store.remove(`${folder}/${name}`);
  }
  lock.lost.throwIfAborted();
  await store.remove(folder);
}
