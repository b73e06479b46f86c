/** Advisory locks on files (flock): the kernel drops them when their holder ends, however it ends. */
import { SalesflowError } from "../../console/errors.ts";
import { delay } from "./delay.ts";

const POLL_MS = 20;

/** How a lock is wanted. */
export interface LockOptions {
  /** Several may hold it together. @default {false} */
  shared?: boolean;
  /** Gives up waiting. */
  signal?: AbortSignal | undefined;
  /** Called once when somebody else holds the lock. */
  onWait?: (() => void) | undefined;
}

/** A held lock; see {@linkcode lockFile}. */
export interface FileLock extends Disposable {
  release(): void;
}

function held(file: Deno.FsFile): FileLock {
  let open = true;
  const release = () => {
    if (open) file.close(); // the lock belongs to the open file and goes with it
    open = false;
  };
  return { release, [Symbol.dispose]: release };
}

async function openFile(path: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path, { read: true, write: true, create: true, mode: 0o600 });
  } catch (cause) {
    throw new SalesflowError(`Cannot open ${path}`, { remedy: "You need permission to write there.", cause });
  }
}

/** Takes the lock if it is free, and returns undefined if it is not. The file is made when it is missing. */
export async function tryLockFile(
  path: string,
  { shared = false }: LockOptions = {},
): Promise<FileLock | undefined> {
  const file = await openFile(path);
  let locked = false;
  try {
    locked = await file.tryLock(!shared);
    return locked ? held(file) : undefined;
  } catch (cause) {
    throw new SalesflowError(`Cannot lock ${path}`, {
      remedy: "It must lie on a disk that knows file locks.",
      cause,
    });
  } finally {
    if (!locked) file.close();
  }
}

/** Takes the lock, waiting for those who hold it; can be interrupted by `signal`. */
export async function lockFile(path: string, options: LockOptions = {}): Promise<FileLock> {
  const { signal, onWait } = options;
  for (let attempt = 0;; attempt++) {
    signal?.throwIfAborted();
    const lock = await tryLockFile(path, options);
    if (lock) return lock;
    if (attempt === 0) onWait?.();
    await delay(POLL_MS, signal);
  }
}

/** Takes the lock alone, waiting in the kernel: woken at once, but not to be interrupted. */
export async function lockFileUninterrupted(path: string): Promise<FileLock> {
  const file = await openFile(path);
  await file.lock(true);
  return held(file);
}

/** Whether nobody holds the lock at this moment. */
export async function isUnlocked(path: string): Promise<boolean> {
  const lock = await tryLockFile(path);
  lock?.release();
  return lock !== undefined;
}
