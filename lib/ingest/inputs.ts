/** Finds the files to ingest: paths, globs, folders, buckets and standard input. */
import { glob } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { UsageError } from "../console/errors.ts";
import { readFile } from "./formats/byte_stream.ts";
import { unreadableFile } from "./formats/file_error.ts";
import { isUrl, openStore } from "../store/open_store.ts";

/** A file to ingest. */
export interface Input {
  /** Path or URL, for messages. */
  path: string;
  /** Name without folders, for records. */
  name: string;
  /** Whether it is a pipe or a device, whose bytes come only once. */
  readOnce: boolean;
  /** Opens the bytes. */
  open(): Promise<OpenInput>;
  /** Returns its state; undefined for what can be read only once or does not exist. */
  stat(): Promise<FileState | undefined>;
}

/** An open file. */
export interface OpenInput {
  /** Its bytes, in any pieces. */
  bytes: AsyncIterable<Uint8Array>;
  /** Path of a regular local file, which may be read at any offset. */
  localPath?: string;
}

/** What tells whether a file has changed. */
export interface FileState {
  /** Bytes. */
  size: number;
  /** Time of the last change. */
  modifiedAt: Date;
}

/** Standard input, as on the command line. */
const STANDARD_INPUT = "-";

async function* readAll(file: Deno.FsFile, path: string): AsyncGenerator<Uint8Array> {
  // Closed here, so that the file is closed when the reader stops early, too.
  using _ = file;
  try {
    yield* readFile(file);
  } catch (error) {
    throw unreadableFile(path, error);
  }
}

function standardInput(): Input {
  return {
    path: "standard input",
    name: "stdin",
    readOnce: true,
    open: () => Promise.resolve({ bytes: Deno.stdin.readable }),
    stat: () => Promise.resolve(undefined),
  };
}

function localInput(path: string, readOnce = false): Input {
  return {
    path,
    name: basename(path),
    readOnce,
    open: async () => {
      try {
        const info = await Deno.stat(path);
        if (info.isDirectory) throw new Deno.errors.IsADirectory();
        const bytes = readAll(await Deno.open(path, { read: true }), path);
        return info.isFile ? { bytes, localPath: path } : { bytes };
      } catch (error) {
        throw unreadableFile(path, error);
      }
    },
    stat: async () => {
      const info = await Deno.stat(path).catch(() => undefined);
      return info?.isFile ? { size: info.size, modifiedAt: info.mtime ?? new Date(0) } : undefined;
    },
  };
}

/** Source files lie beside exports, and are none. */
const SOURCE_FILE = /\.ya?ml$/i;

/** Whether the name of a file that was not named itself may be that of an export: it is neither hidden nor a source file. */
function mayBeExport(name: string): boolean {
  return !name.startsWith(".") && !SOURCE_FILE.test(name);
}

/** Whether a path that was not named itself is taken: no folders, pipes, devices, hidden files, source files or lookups. */
async function isTaken(path: string, skip: ReadonlySet<string>): Promise<boolean> {
  if (!mayBeExport(basename(path)) || skip.has(path)) return false;
  const found = await Deno.stat(path).catch(() => undefined);
  // A link to nothing stays, to be reported when it is opened.
  return found?.isFile !== false;
}

/** Returns the files that directly lie in a folder. */
async function listFolder(folder: string, skip: ReadonlySet<string>): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (await isTaken(path, skip)) paths.push(path);
  }
  return paths;
}

/** @param base absolute folder, whose own name is no pattern */
async function findLocal(pattern: string, base: string, skip: ReadonlySet<string>): Promise<Input[]> {
  const path = resolve(base, pattern);
  const info = await Deno.stat(path).catch(() => undefined);
  if (info?.isDirectory) return (await listFolder(path, skip)).map((each) => localInput(each));
  const isPattern = !info && /[*?[{]/.test(pattern);
  if (!isPattern) return [localInput(path, Boolean(info?.isFifo || info?.isCharDevice))];
  const paths: string[] = [];
  for await (const relative of glob(pattern, { cwd: base })) {
    const each = resolve(base, relative);
    if (await isTaken(each, skip)) paths.push(each);
  }
  return paths.map((each) => localInput(each));
}

/** Returns a regular expression for names that may hold `*` and `?`. */
function toNamePattern(name: string): RegExp {
  const source = name.replace(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*").replaceAll("?", ".");
  return new RegExp(`^${source}$`);
}

/** Finds objects of a bucket: one, all that directly lie in a folder, or those whose last name fits a pattern. */
async function findObjects(url: string, skip: ReadonlySet<string>): Promise<Input[]> {
  const cut = url.lastIndexOf("/");
  const [folder, last] = /^s3:\/\/[^/]+$/.test(url) ? [url, ""] : [url.slice(0, cut), url.slice(cut + 1)];
  const store = openStore(folder);
  const fits = last === "" ? () => true : (name: string) => toNamePattern(last).test(name);
  const inputs: Input[] = [];
  const isPattern = last === "" || /[*?]/.test(last);
  for (const name of isPattern ? await store.list("") : [last]) {
    if (!fits(name)) continue;
    if (isPattern && (!mayBeExport(name) || skip.has(`${store.url}/${name}`))) continue;
    // Folders are listed, too; they have no state.
    if (!await store.stat(name)) continue;
    inputs.push({
      path: `${store.url}/${name}`,
      name,
      readOnce: false,
      open: async () => ({ bytes: await store.stream(name) }),
      stat: () => store.stat(name),
    });
  }
  return inputs;
}

function byName(a: Input, b: Input): number {
  return compare(a.name, b.name) || compare(a.path, b.path);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * Finds the files that patterns name, each once.
 *
 * @param patterns paths, globs, folders, `s3://` URLs of objects, globs of objects or folders, and `-`
 * @param base folder of relative paths, or URL of a bucket's folder
 * @param order `given`: as the patterns stand; `names`: by name, whatever the patterns
 * @param skip absolute paths or URLs of lookups, which are taken only when they are named themselves
 * @throws {UsageError} when patterns fit nothing
 */
export async function findInputs(
  patterns: readonly string[],
  base: string,
  order: "given" | "names",
  skip: ReadonlySet<string> = new Set(),
): Promise<Input[]> {
  const found = new Map<string, Input>();
  const mistakes: string[] = [];
  for (const pattern of patterns) {
    const inputs = await findOne(pattern, base, skip);
    if (inputs.length === 0) mistakes.push(`There is no file that fits ${pattern}, seen from ${base}`);
    for (const input of inputs.sort(byName)) found.set(input.path, found.get(input.path) ?? input);
  }
  if (mistakes.length > 0) throw new UsageError(mistakes);
  const all = [...found.values()];
  return order === "names" ? all.sort(byName) : all;
}

function findOne(pattern: string, base: string, skip: ReadonlySet<string>): Promise<Input[]> {
  if (pattern === STANDARD_INPUT) return Promise.resolve([standardInput()]);
  if (!isUrl(pattern) && !isUrl(base)) return findLocal(pattern, base, skip);
  const url = isUrl(pattern) ? pattern : `${base.replace(/\/$/, "")}/${pattern}`;
  if (url.startsWith("s3://")) return findObjects(url, skip);
  throw new UsageError([`${url} is no file: it must be a path or s3://bucket/name`]);
}

/** Returns the folder of a path or URL, as the base of what is relative to it. */
export function folderOf(location: string): string {
  return isUrl(location) ? location.slice(0, location.lastIndexOf("/")) : dirname(resolve(location));
}
