/** Advisory file locks (flock). The kernel releases a lock when its holder exits, even when it is killed. */
import { SalesflowError } from "../../console/errors.ts";

/** How a lock is acquired. */
export interface LockOptions {
  /** Allows other shared holders. @default {false} */
  shared?: boolean;
}

/** A held lock; see {@linkcode tryLockFile}. */
export interface FileLock extends Disposable {
  /** Reports whether the path still leads to the locked file: false once it was removed, even if it was made again. */
  isCurrent(): Promise<boolean>;
  /** Releases the lock; does nothing when called again. */
  release(): void;
}

function createLock(file: Deno.FsFile, path: string): FileLock {
  let open = true;
  const isCurrent = async () => {
    try {
      const [locked, found] = [await file.stat(), await Deno.stat(path)];
      return locked.ino === found.ino && locked.dev === found.dev;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  };
  const release = () => {
    if (open) file.close(); // the lock belongs to the open file: closing it releases the lock
    open = false;
  };
  return { isCurrent, release, [Symbol.dispose]: release };
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
    return locked ? createLock(file, path) : undefined;
  } catch (cause) {
    throw new SalesflowError(`Cannot lock ${path}`, {
      remedy: "The file must be on a file system that supports file locks.",
      cause,
    });
  } finally {
    if (!locked) file.close();
  }
}

/** Acquires the exclusive lock, blocking in the kernel: wakes up at once, but cannot be cancelled. */
export async function lockFileBlocking(path: string): Promise<FileLock> {
  const file = await openFile(path);
  await file.lock(true);
  return createLock(file, path);
}

/** Reports whether the lock has no holder at the moment. */
export async function isUnlocked(path: string): Promise<boolean> {
  const lock = await tryLockFile(path);
  lock?.release();
  return lock !== undefined;
}
