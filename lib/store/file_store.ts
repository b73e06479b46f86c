/** A store in a folder of this machine or of a shared volume. */
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { NO_SPACE, SalesflowError, UsageError } from "../console/errors.ts";
import type { Lock, Store, StoreWriter } from "./store.ts";

async function orUndefined<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    throw error;
  }
}

/** Does work that reads; a permission that is missing is said with what to do about it. */
async function reading<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    if (!(cause instanceof Deno.errors.PermissionDenied)) throw cause;
    const remedy = "Make it readable for this user, or choose another --store.";
    throw new SalesflowError(`Cannot read ${path}: it is not allowed`, { remedy, cause });
  }
}

/** @throws {UsageError} when the store's folder, or one above it, is a file */
function refuseFile(root: string): void {
  let kind: Deno.FileInfo | undefined;
  try {
    kind = Deno.statSync(root);
  } catch (error) {
    // Whatever else is wrong is told by the first work in the folder.
    if (!(error instanceof Deno.errors.NotADirectory)) return;
  }
  if (kind?.isDirectory) return;
  throw new UsageError(
    [`Cannot keep runs in ${root}: ${kind ? "it is a file" : "a folder above it is a file"}`],
    "Name a folder with --store or --home; it is made when it is missing.",
  );
}

/** The system's words for what a user may not do. */
const NOT_ALLOWED = /EROFS|EACCES|EPERM|read-only file system|permission denied|not permitted/i;

/** Does work that writes; what a person can mend is said in other words than the system's. */
async function writing<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const words = cause instanceof Error ? `${(cause as { code?: string }).code ?? ""} ${cause.message}` : "";
    if (NO_SPACE.test(words)) {
      const remedy = "Free disk space or choose another --store, then run the same command again.";
      throw new SalesflowError(`Cannot write ${path}: the disk is full`, { exitCode: 75, remedy, cause });
    }
    if (NOT_ALLOWED.test(words)) {
      const remedy = "Make the folder writable for this user, or choose another --store.";
      throw new SalesflowError(`Cannot write ${path}: it is not allowed`, { remedy, cause });
    }
    throw cause;
  }
}

/** A small file that is being replaced. */
const UNFINISHED = /^(.+)\.[0-9a-f-]{36}\.tmp$/;

/** Opens a file for writing in a folder that is made when it is missing. */
function openFor(path: string, open: () => Promise<Deno.FsFile>): Promise<Deno.FsFile> {
  return writing(path, async () => {
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
    await writing(this.#path, async () => {
      for (let at = 0; at < bytes.length;) {
        at += await this.#file.write(at === 0 ? bytes : bytes.subarray(at));
      }
    });
  }

  async close(): Promise<void> {
    try {
      await writing(this.#path, () => this.#file.syncData());
    } finally {
      this.#file.close();
    }
  }

  async abort(): Promise<void> {
    try {
      this.#file.close();
    } catch {
      // Closed already.
    }
    await orUndefined(Deno.remove(this.#path));
  }
}

/** The system takes no lock away. */
const NEVER = new AbortController().signal;

/** See {@linkcode Store}. Locks are advisory file locks, which the system releases when a process dies. */
export class FileStore implements Store {
  readonly url: string;
  readonly #root: string;

  constructor(folder: string) {
    this.#root = resolve(folder);
    this.url = pathToFileURL(this.#root).href;
    refuseFile(this.#root);
  }

  /** Path of a file on this machine. */
  localPath(path: string): string {
    return join(this.#root, path);
  }

  readText(path: string): Promise<string | undefined> {
    const target = this.localPath(path);
    return reading(target, orUndefined(Deno.readTextFile(target)));
  }

  async writeText(path: string, text: string): Promise<void> {
    const target = this.localPath(path);
    const temporary = `${target}.${crypto.randomUUID()}.tmp`;
    try {
      const file = await openFor(target, () => Deno.open(temporary, { write: true, createNew: true }));
      const writer = new FileWriter(file, temporary);
      await writer.write(new TextEncoder().encode(text));
      await writer.close();
      await Deno.rename(temporary, target);
    } catch (error) {
      await orUndefined(Deno.remove(temporary));
      throw error;
    }
  }

  async size(path: string): Promise<number | undefined> {
    const target = this.localPath(path);
    return (await reading(target, orUndefined(Deno.stat(target))))?.size;
  }

  async read(path: string, start: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    const target = this.localPath(path);
    using file = await reading(target, Deno.open(target, { read: true }));
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
    return (await reading(target, Deno.open(target, { read: true }))).readable;
  }

  async create(path: string): Promise<StoreWriter> {
    const target = this.localPath(path);
    const open = () => Deno.open(target, { write: true, create: true, truncate: true });
    return new FileWriter(await openFor(target, open), target);
  }

  async list(folder: string): Promise<string[]> {
    const target = this.localPath(folder);
    const names = Array.fromAsync(Deno.readDir(target), ({ name }) => name);
    return (await reading(target, orUndefined(names)) ?? []).sort();
  }

  async remove(path: string): Promise<void> {
    const target = this.localPath(path);
    await writing(target, () => orUndefined(Deno.remove(target, { recursive: true })));
  }

  async sweep(folder: string, keep: (path: string) => boolean = () => false): Promise<void> {
    const entries = await orUndefined(Array.fromAsync(Deno.readDir(this.localPath(folder)))) ?? [];
    for (const { name, isDirectory } of entries) {
      if (isDirectory) {
        await this.sweep(`${folder}/${name}`, (path) => keep(`${name}/${path}`));
        continue;
      }
      const target = UNFINISHED.exec(name)?.[1];
      if (target !== undefined && !keep(target)) await this.remove(`${folder}/${name}`);
    }
  }

  async lock(path: string, { shared = false }: { shared?: boolean } = {}): Promise<Lock | undefined> {
    const target = this.localPath(path);
    const file = await openFor(target, () => Deno.open(target, { write: true, create: true }));
    if (await file.tryLock(!shared)) {
      return { lost: NEVER, release: () => Promise.resolve(file.close()) };
    }
    file.close();
    return undefined;
  }
}
