/** A store in a folder of this machine or of a shared volume. */
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Store, StoreWriter } from "./store.ts";

async function orUndefined<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    throw error;
  }
}

/** A small file that is being replaced. */
const UNFINISHED = /^(.+)\.[0-9a-f-]{36}\.tmp$/;

class FileWriter implements StoreWriter {
  readonly #file: Deno.FsFile;
  readonly #path: string;

  constructor(file: Deno.FsFile, path: string) {
    this.#file = file;
    this.#path = path;
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#file.write(at === 0 ? bytes : bytes.subarray(at));
  }

  async close(): Promise<void> {
    try {
      await this.#file.syncData();
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

/** See {@linkcode Store}. Locks are advisory file locks, which the system releases when a process dies. */
export class FileStore implements Store {
  readonly url: string;
  readonly #root: string;

  /** @param location a path or `file:///path` */
  constructor(location: string) {
    this.#root = location.startsWith("file:") ? fileURLToPath(location) : resolve(location);
    this.url = pathToFileURL(this.#root).href;
  }

  /** Path of a file on this machine. */
  localPath(path: string): string {
    return join(this.#root, path);
  }

  readText(path: string): Promise<string | undefined> {
    return orUndefined(Deno.readTextFile(this.localPath(path)));
  }

  async writeText(path: string, text: string): Promise<void> {
    const target = this.localPath(path);
    const temporary = `${target}.${crypto.randomUUID()}.tmp`;
    await Deno.mkdir(dirname(target), { recursive: true });
    try {
      const file = await Deno.open(temporary, { write: true, createNew: true });
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
    return (await orUndefined(Deno.stat(this.localPath(path))))?.size;
  }

  async read(path: string, start: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    using file = await Deno.open(this.localPath(path), { read: true });
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
    return (await Deno.open(this.localPath(path), { read: true })).readable;
  }

  async create(path: string): Promise<StoreWriter> {
    const target = this.localPath(path);
    await Deno.mkdir(dirname(target), { recursive: true });
    return new FileWriter(await Deno.open(target, { write: true, create: true, truncate: true }), target);
  }

  async list(folder: string): Promise<string[]> {
    const names: string[] = [];
    await orUndefined((async () => {
      for await (const entry of Deno.readDir(this.localPath(folder))) names.push(entry.name);
    })());
    return names.sort();
  }

  async remove(path: string): Promise<void> {
    await orUndefined(Deno.remove(this.localPath(path), { recursive: true }));
  }

  async sweep(folder: string, keep: (name: string) => boolean = () => false): Promise<void> {
    for (const name of await this.list(folder)) {
      const target = UNFINISHED.exec(name)?.[1];
      if (target !== undefined && !keep(target)) await this.remove(`${folder}/${name}`);
    }
  }

  async lock(path: string): Promise<{ release(): Promise<void> } | undefined> {
    const target = this.localPath(path);
    await Deno.mkdir(dirname(target), { recursive: true });
    const file = await Deno.open(target, { write: true, create: true });
    if (await file.tryLock(true)) return { release: () => Promise.resolve(file.close()) };
    file.close();
    return undefined;
  }
}
