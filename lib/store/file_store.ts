/** A store in a local folder or on a shared volume. */
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { NO_SPACE, SalesflowError, UsageError } from "../console/errors.ts";
import type { Lock, Store, StoreWriter } from "./store.ts";

/** Returns undefined when the file or folder does not exist. */
async function ignoreNotFound<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    throw error;
  }
}

/** Awaits `work`, which reads `path`; adds a remedy when permission is denied. */
async function withReadErrors<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    if (!(cause instanceof Deno.errors.PermissionDenied)) throw cause;
    const remedy = "Make it readable for this user, or choose another --store.";
    throw new SalesflowError(`Cannot read ${path}: permission denied`, { remedy, cause });
  }
}

/** Throws when the path of the store's folder, or of a parent folder, is a file. */
function rejectFile(root: string): void {
  let info: Deno.FileInfo | undefined;
  try {
    info = Deno.statSync(root);
  } catch (error) {
    // Other errors are reported by the first operation on the folder.
    if (!(error instanceof Deno.errors.NotADirectory)) return;
  }
  if (info?.isDirectory) return;
  throw new UsageError(
    [`Cannot store runs in ${root}: ${info ? "it is a file" : "a folder above it is a file"}`],
    "Pass a folder to --store or --home. It is created if it does not exist.",
  );
}

/** Matches error codes and messages of the operating system for missing permissions. */
const PERMISSION_DENIED = /EACCES|EPERM|permission denied|not permitted/i;
const READ_ONLY = /EROFS|read-only file system/i;

/** Runs `work`, which writes `path`; adds a remedy when the disk is full or read-only, or permission is denied. */
async function withWriteErrors<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const text = cause instanceof Error ? `${(cause as { code?: string }).code ?? ""} ${cause.message}` : "";
    if (NO_SPACE.test(text)) {
      const remedy = "Free disk space or choose another --store, then run the same command again.";
      throw new SalesflowError(`Cannot write ${path}: the disk is full`, { exitCode: 75, remedy, cause });
    }
    if (READ_ONLY.test(text)) {
      const remedy = "Mount the file system for writing, or choose another --store.";
      throw new SalesflowError(`Cannot write ${path}: the file system is read-only`, { remedy, cause });
    }
    if (PERMISSION_DENIED.test(text)) {
      const remedy = "Make the folder writable for this user, or choose another --store.";
      throw new SalesflowError(`Cannot write ${path}: permission denied`, { remedy, cause });
    }
    throw cause;
  }
}

/** Name of the temporary file of `writeText`. */
const TEMPORARY_NAME = /^(.+)\.[0-9a-f-]{36}\.tmp$/;

/** Opens a file for writing. Creates its folder. */
function openForWriting(path: string, open: () => Promise<Deno.FsFile>): Promise<Deno.FsFile> {
  return withWriteErrors(path, async () => {
    await Deno.mkdir(dirname(path), { recursive: true });
    return await open();
  });
}

class FileWriter implements StoreWriter {
  readonly #file: Deno.FsFile;
  readonly #path: string;

  constructor(file: Deno.FsFile, path: string) {
    this.#file = file;
    this.#path = path;
  }

  async write(bytes: Uint8Array): Promise<void> {
    await withWriteErrors(this.#path, async () => {
      for (let offset = 0; offset < bytes.length;) {
        offset += await this.#file.write(offset === 0 ? bytes : bytes.subarray(offset));
      }
    });
  }

  async close(): Promise<void> {
    try {
      await withWriteErrors(this.#path, () => this.#file.syncData());
    } finally {
      this.#file.close();
    }
  }

  async abort(): Promise<void> {
    try {
      this.#file.close();
    } catch {
      // Already closed.
    }
    await ignoreNotFound(Deno.remove(this.#path));
  }
}

/** Never fires: the operating system does not revoke file locks. */
const NEVER_LOST = new AbortController().signal;

/** A {@linkcode Store} in a folder. Locks are advisory file locks, which the operating system releases when a process dies. */
export class FileStore implements Store {
  readonly url: string;
  readonly #root: string;

  /**
   * Does not create the folder; the first write does.
   *
   * @throws {UsageError} when the path of the folder, or of a parent folder, is a file
   */
  constructor(folder: string) {
    this.#root = resolve(folder);
    this.url = pathToFileURL(this.#root).href;
    rejectFile(this.#root);
  }

  /** Returns the local path of a file. */
  localPath(path: string): string {
    return join(this.#root, path);
  }

  readText(path: string): Promise<string | undefined> {
    const target = this.localPath(path);
    return withReadErrors(target, ignoreNotFound(Deno.readTextFile(target)));
  }

  async writeText(path: string, text: string): Promise<void> {
    const target = this.localPath(path);
    const temporary = `${target}.${crypto.randomUUID()}.tmp`;
    try {
      const file = await openForWriting(target, () => Deno.open(temporary, { write: true, createNew: true }));
      const writer = new FileWriter(file, temporary);
      await writer.write(new TextEncoder().encode(text));
      await writer.close();
      await Deno.rename(temporary, target);
    } catch (error) {
      await ignoreNotFound(Deno.remove(temporary));
      throw error;
    }
  }

  async size(path: string): Promise<number | undefined> {
    return (await this.stat(path))?.size;
  }

  async stat(path: string): Promise<{ size: number; modifiedAt: Date } | undefined> {
    const target = this.localPath(path);
    const info = await withReadErrors(target, ignoreNotFound(Deno.stat(target)));
    return info && { size: info.size, modifiedAt: info.mtime ?? new Date(0) };
  }

  async read(path: string, start: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    const target = this.localPath(path);
    using file = await withReadErrors(target, Deno.open(target, { read: true }));
    await file.seek(start, Deno.SeekMode.Start);
    const bytes = new Uint8Array(end - start);
    let filled = 0;
    while (filled < bytes.length) {
      const count = await file.read(filled === 0 ? bytes : bytes.subarray(filled));
      if (count === null) break;
      filled += count;
    }
    return filled === bytes.length ? bytes : bytes.subarray(0, filled);
  }

  async stream(path: string): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    const target = this.localPath(path);
    return (await withReadErrors(target, Deno.open(target, { read: true }))).readable;
  }

  async create(path: string): Promise<StoreWriter> {
    const target = this.localPath(path);
    const open = () => Deno.open(target, { write: true, create: true, truncate: true });
    return new FileWriter(await openForWriting(target, open), target);
  }

  async list(folder: string): Promise<string[]> {
    const target = this.localPath(folder);
    const names = Array.fromAsync(Deno.readDir(target), ({ name }) => name);
    return (await withReadErrors(target, ignoreNotFound(names)) ?? []).sort();
  }

  async folderSize(folder: string): Promise<number> {
    const entries = await ignoreNotFound(Array.fromAsync(Deno.readDir(this.localPath(folder)))) ?? [];
    let bytes = 0;
    for (const { name, isDirectory } of entries) {
      const path = `${folder}/${name}`;
      bytes += isDirectory ? await this.folderSize(path) : await this.size(path) ?? 0;
    }
    return bytes;
  }

  async remove(path: string): Promise<void> {
    const target = this.localPath(path);
    await withWriteErrors(target, () => ignoreNotFound(Deno.remove(target, { recursive: true })));
  }

  async sweep(folder: string, keep: (path: string) => boolean = () => false): Promise<void> {
    const entries = await ignoreNotFound(Array.fromAsync(Deno.readDir(this.localPath(folder)))) ?? [];
    for (const { name, isDirectory } of entries) {
      if (isDirectory) {
        await this.sweep(`${folder}/${name}`, (path) => keep(`${name}/${path}`));
        continue;
      }
      const target = TEMPORARY_NAME.exec(name)?.[1];
      if (target !== undefined && !keep(target)) await this.remove(`${folder}/${name}`);
    }
  }

  async lock(path: string, { shared = false }: { shared?: boolean } = {}): Promise<Lock | undefined> {
    const target = this.localPath(path);
    while (true) {
      const file = await openForWriting(target, () => Deno.open(target, { write: true, create: true }));
      if (!await file.tryLock(!shared)) {
        file.close();
        return undefined;
      }
      // Otherwise the former holder removed the file before it released the lock, so that nobody else would see this one.
      if (await isStillAt(file, target)) {
        return { lost: NEVER_LOST, release: () => Promise.resolve(file.close()) };
      }
      file.close();
    }
  }
}

/** Reports whether a path still leads to an open file. */
async function isStillAt(file: Deno.FsFile, path: string): Promise<boolean> {
  const found = await ignoreNotFound(Deno.stat(path));
  return found !== undefined && found.ino === (await file.stat()).ino;
}
