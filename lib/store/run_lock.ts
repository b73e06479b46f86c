/** The lock of a run: one command at a time has it as a whole, or several have a share each. */
import { SalesflowError } from "../console/errors.ts";
import type { Lock, Store } from "./store.ts";

/** Takes all of the locks or none. */
async function takeAll(
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

/** Fires when one of the locks is lost. */
function lostOf(runId: string, locks: readonly Lock[]): AbortSignal {
  const controller = new AbortController();
  const any = AbortSignal.any(locks.map(({ lost }) => lost));
  const lose = () =>
    controller.abort(
      new SalesflowError(`Lost the lock of run ${runId}`, {
        exitCode: 75,
        remedy: "Run the same command again, when no other works on the run.",
        runId,
        cause: any.reason,
      }),
    );
  if (any.aborted) lose();
  else any.addEventListener("abort", lose, { once: true });
  return controller.signal;
}

/**
 * Locks a run against other commands.
 *
 * @param share locks this share only: side by side with other shares, not with whoever has the run as a whole
 * @throws {SalesflowError} exit code 75 when another command has the run, or this share of it
 */
export async function lockRun(store: Store, runId: string, share?: string): Promise<Lock> {
  const folder = `runs/${runId}`;
  const whole = { path: `${folder}/.lock-run`, shared: share !== undefined };
  const locks = await takeAll(
    store,
    share === undefined ? [whole] : [whole, { path: `${folder}/.lock-${share}`, shared: false }],
  );
  if (!locks) {
    throw new SalesflowError(`Another salesflow command is working on run ${runId}`, {
      exitCode: 75,
      remedy: "Wait until it is done, or pass another --run-id.",
    });
  }
  return { lost: lostOf(runId, locks), release: () => releaseAll(locks) };
}
