/** Where runs live: a folder or a bucket, behind one small interface. */
import { fileURLToPath } from "node:url";
import type { Environment } from "../config.ts";
import { UsageError } from "../errors.ts";
import { maskUrl } from "../mask_url.ts";
import { bucketService } from "./bucket_service.ts";
import { FileStore } from "./file_store.ts";
import { S3Store } from "./s3_store.ts";

/** A file being written; it exists for readers when {@linkcode StoreWriter.close} has resolved. */
export interface StoreWriter {
  /** Writes all bytes; they may be reused when the promise has resolved. */
  write(bytes: Uint8Array): Promise<void>;
  /** Makes the file durable. */
  close(): Promise<void>;
  /** Gives up and removes what was written. */
  abort(): Promise<void>;
}

/** A lock that is held. */
export interface Lock {
  /** Fires when the lock is no longer ours although nobody released it, with a {@linkcode SalesflowError}: whoever works under it must stop. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

/** Files by path (`runs/2026-11-24/raw/part-00000.csv`), relative to the store's root. */
export interface Store {
  /** Such as `file:///data/salesflow` or `s3://bucket/prefix`; holds no secret. */
  readonly url: string;
  /** Whole text of a small file; undefined when there is none. */
  readText(path: string): Promise<string | undefined>;
  /** Replaces a small file in one step: readers see the old text or the new. */
  writeText(path: string, text: string): Promise<void>;
  /** Size in bytes; undefined when there is no such file. */
  size(path: string): Promise<number | undefined>;
  /** Bytes `start` (included) to `end` (excluded), cut at the end of the file. */
  read(path: string, start: number, end: number): Promise<Uint8Array<ArrayBuffer>>;
  /** The file's bytes in order. */
  stream(path: string): Promise<ReadableStream<Uint8Array<ArrayBuffer>>>;
  /** Starts a file, replacing one of the same name. */
  create(path: string): Promise<StoreWriter>;
  /** Names directly inside a folder (files and folders), sorted; none when it does not exist. */
  list(folder: string): Promise<string[]>;
  /** Removes a file, or a folder with everything in it; fine when there is none. */
  remove(path: string): Promise<void>;
  /**
   * Removes what killed commands left half written in a folder and the folders inside it, except files for which `keep` says
   * yes; it is given the path below `folder` that the file would have got.
   */
  sweep(folder: string, keep?: (path: string) => boolean): Promise<void>;
  /**
   * Holds the named lock until the process ends or `release` is called; undefined when another holds it. Those who
   * want it `shared` may hold it together, as long as nobody has it for itself.
   */
  lock(path: string, options?: { shared?: boolean }): Promise<Lock | undefined>;
}

/** Whether a store's name has a scheme, so that it is no path. */
export function isUrl(name: string): boolean {
  return /^[a-z][a-z0-9+.-]*:/i.test(name);
}

/** Buckets as S3 names them, then the prefix. */
const BUCKET = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*?))?\/?$/;
/** A host after `file://` would be another machine's folder. */
const FOLDER_URL = /^file:\/\/(localhost)?\//i;

/**
 * Opens a store.
 *
 * @param url `file:///folder`, a path, or `s3://bucket/prefix`
 * @param environment where `s3://` gets its settings from, see {@linkcode bucketService}
 * @throws {UsageError} when it is none of these, or the settings are wrong; shows no password and no key
 */
export function openStore(url: string, environment?: Environment): Store {
  const refuse = (why: string) => new UsageError([`Cannot open the store ${maskUrl(url)}: ${why}`]);
  if (url.includes("\0")) throw refuse("it holds a NUL");
  if (!isUrl(url)) return new FileStore(url);
  if (/[?#]/.test(url)) throw refuse("it has a ? or #, which in file:///folder is written as %3F or %23");
  if (FOLDER_URL.test(url)) {
    const path = pathOf(url);
    if (path === undefined) {
      throw refuse("a % must be followed by two hexadecimal digits, not those of / or NUL");
    }
    return new FileStore(path);
  }
  const bucket = BUCKET.exec(url);
  if (bucket) return new S3Store({ bucket: bucket[1]!, prefix: bucket[2] ?? "" }, bucketService(environment));
  throw refuse("it must be a folder, file:///folder or s3://bucket/prefix");
}

/** The folder of a `file:` URL; undefined when there can be none of that name. */
function pathOf(url: string): string | undefined {
  try {
    const path = fileURLToPath(url);
    return path.includes("\0") ? undefined : path;
  } catch {
    return undefined;
  }
}
