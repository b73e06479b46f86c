/** Advisory file locks (flock). The kernel releases a lock when its holder exits, even when it is killed. */
import { setTimeout as delay } from "node:timers/promises";
import { SalesflowError } from "../../console/errors.ts";

const POLL_MS = 20;

/** How a lock is acquired. */
export interface LockOptions {
  /** Allows other shared holders. @default {false} */
  shared?: boolean;
  /** Cancels waiting; the wait rejects with its reason. */
  signal?: AbortSignal | undefined;
  /** Called once if the lock is held by another process. */
  onWait?: (() => void) | undefined;
}

/** A held lock; see {@linkcode lockFile}. */
export interface FileLock extends Disposable {
  /** Releases the lock; does nothing when called again. */
  release(): void;
}

function createLock(file: Deno.FsFile): FileLock {
  let open = true;
  const release = () => {
    if (open) file.close(); // the lock belongs to the open file: closing it releases the lock
    open = false;
  };
  return { release, [Symbol.dispose]: release };
}

async function openFile(path: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path, { read: true, write: true, create: true, mode: 0o600 });
  } catch (cause) {
    throw new SalesflowError(`Cannot open ${path}`, { remedy: "You need write permission there.", cause });
  }
}

/**
 * Acquires the lock without waiting. The file is created if it is missing.
 *
 * @returns undefined when the lock is held elsewhere
 */
export async function tryLockFile(
  path: string,
  { shared = false }: LockOptions = {},
): Promise<FileLock | undefined> {
  const file = await openFile(path);
  let locked = false;
  try {
    locked = await file.tryLock(!shared);
    return locked ? createLock(file) : undefined;
  } catch (cause) {
    throw new SalesflowError(`Cannot lock ${path}`, {
      remedy: "The file must be on a file system that supports file locks.",
      cause,
    });
  } finally {
    if (!locked) file.close();
  }
}

/** Acquires the lock, polling until it is free or `signal` is aborted. */
export async function lockFile(path: string, options: LockOptions = {}): Promise<FileLock> {
  const { signal, onWait } = options;
  for (let attempt = 0;; attempt++) {
    signal?.throwIfAborted();
    const lock = await tryLockFile(path, options);
    if (lock) return lock;
    if (attempt === 0) onWait?.();
    // Without the signal: it would reject with an AbortError instead of the signal's reason.
    await delay(POLL_MS);
  }
}

/** Acquires the exclusive lock, blocking in the kernel: wakes up at once, but cannot be cancelled. */
export async function lockFileBlocking(path: string): Promise<FileLock> {
  const file = await openFile(path);
  await file.lock(true);
  return createLock(file);
}

/** Reports whether the lock has no holder at the moment. */
export async function isUnlocked(path: string): Promise<boolean> {
  const lock = await tryLockFile(path);
  lock?.release();
  return lock !== undefined;
}
