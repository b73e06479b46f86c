/** Waits for other processes. Each has a limit, and says what it waits for. */
import { setTimeout as delay } from "node:timers/promises";
import { DEFAULT_LIMITS } from "../../connection/limits.ts";
import { SalesflowError } from "../../console/errors.ts";
import { escapePlaceholders, logger } from "../../console/log.ts";
import { type FileLock, type LockOptions, tryLockFile } from "./file_lock.ts";
import { findLockHolders } from "./lock_holders.ts";

const POLL_MS = 20;
/** A wait that takes longer is logged. */
const LOG_AFTER_MS = 2_000;

/** What is waited for, and how long. */
export interface LimitedWait {
  /** Such as `postgres in /home to stop`. */
  what: string;
  /** Path of the lock whose holder is waited for. */
  lock: string;
  /** Longest wait. @default {DEFAULT_LIMITS.lockTimeoutMs} */
  limitMs?: number | undefined;
  /** Cancels waiting; the wait rejects with its reason. */
  signal?: AbortSignal | undefined;
}

function describeHolders(pids: readonly number[]): string {
  return `${pids.length === 1 ? "process" : "processes"} ${pids.join(", ")}`;
}

async function createTimeout({ what, lock }: LimitedWait, limitMs: number): Promise<SalesflowError> {
  const pids = await findLockHolders(lock);
  const [holder, stop] = pids.length > 0
    ? [describeHolders(pids), `, or stop it: kill ${pids.join(" ")}`]
    : ["another process", ""];
  return new SalesflowError(`Waited ${limitMs / 1000} s for ${what}`, {
    exitCode: 75,
    remedy: `The lock ${lock} is held by ${holder}. Wait until it has finished${stop}. Then run again.`,
  });
}

/**
 * Repeats `attempt` until it returns a value.
 *
 * @throws {SalesflowError} exit code 75 at the limit, naming the process that holds the lock if it can be known
 */
export async function waitFor<T>(attempt: () => Promise<T | undefined>, wait: LimitedWait): Promise<T> {
  const { what, lock, limitMs = DEFAULT_LIMITS.lockTimeoutMs, signal } = wait;
  const startedAt = performance.now();
  for (let logged = false;;) {
    signal?.throwIfAborted();
    const result = await attempt();
    if (result !== undefined) return result;
    const waitedMs = performance.now() - startedAt;
    if (waitedMs >= limitMs) throw await createTimeout(wait, limitMs);
    if (!logged && waitedMs >= LOG_AFTER_MS) {
      logged = true;
      const pids = await findLockHolders(lock);
      const holder = pids.length > 0 ? ` (${describeHolders(pids)})` : "";
      logger("embedded").info(escapePlaceholders(`waiting for ${what}${holder}`));
    }
    // Without the signal: it would reject with an AbortError instead of the signal's reason.
    await delay(POLL_MS);
  }
}

/**
 * Acquires a file lock, polling until it is free.
 *
 * @throws {SalesflowError} exit code 75 at the limit, naming the process that holds the lock if it can be known
 */
export function lockFile(
  path: string,
  { what = "the lock of another process", shared = false, ...wait }: LockOptions & Partial<LimitedWait> = {},
): Promise<FileLock> {
  return waitFor(() => tryLockFile(path, { shared }), { ...wait, what, lock: path });
}
