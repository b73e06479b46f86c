/** Locks a run: one command holds the whole run, or several commands hold a shard each. */
import { SalesflowError } from "../console/errors.ts";
import type { Lock, Store } from "./store.ts";

/** Acquires all locks or none. */
async function acquireAll(
  store: Store,
  wanted: readonly { path: string; shared: boolean }[],
): Promise<Lock[] | undefined> {
  const held: Lock[] = [];
  try {
    for (const { path, shared } of wanted) {
      const lock = await store.lock(path, { shared });
      if (!lock) break;
      held.push(lock);
    }
    if (held.length === wanted.length) return held;
  } catch (error) {
    await releaseAll(held);
    throw error;
  }
  await releaseAll(held);
  return undefined;
}

async function releaseAll(locks: readonly Lock[]): Promise<void> {
  for (const lock of locks.toReversed()) await lock.release();
}

/** Returns a signal that fires when any of the locks is lost. */
function anyLost(runId: string, locks: readonly Lock[]): AbortSignal {
  const controller = new AbortController();
  const any = AbortSignal.any(locks.map(({ lost }) => lost));
  const abort = () =>
    controller.abort(
      new SalesflowError(`Lost the lock on run ${runId}`, {
        exitCode: 75,
        remedy: "Run the same command again when no other command is working on the run.",
        runId,
        cause: any.reason,
      }),
    );
  if (any.aborted) abort();
  else any.addEventListener("abort", abort, { once: true });
  return controller.signal;
}

/**
 * Locks a run against other commands; undefined when another command has locked it or the shard.
 *
 * @param shard locks only this shard, so that other shards can be locked at the same time, but not the whole run
 */
export async function tryLockRun(store: Store, runId: string, shard?: string): Promise<Lock | undefined> {
  const folder = `runs/${runId}`;
  const run = { path: `${folder}/.lock-run`, shared: shard !== undefined };
  const locks = await acquireAll(
    store,
    shard === undefined ? [run] : [run, { path: `${folder}/.lock-${shard}`, shared: false }],
  );
  return locks && { lost: anyLost(runId, locks), release: () => releaseAll(locks) };
}

/**
 * Locks a run against other commands, as {@linkcode tryLockRun}.
 *
 * @throws {SalesflowError} with exit code 75 when another command has locked the run or this shard
 */
export async function lockRun(store: Store, runId: string, shard?: string): Promise<Lock> {
  const lock = await tryLockRun(store, runId, shard);
  if (lock) return lock;
  throw new SalesflowError(`Another salesflow command is working on run ${runId}`, {
    exitCode: 75,
    remedy: "Wait until it has finished, or pass another --run-id.",
  });
}
