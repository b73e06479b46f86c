/** Opens the store that a name or URL stands for. */
import { fileURLToPath } from "node:url";
import type { Environment } from "../connection/database_urls.ts";
import { maskUrl } from "../connection/mask_url.ts";
import { UsageError } from "../console/errors.ts";
import { FileStore } from "./file_store.ts";
import { bucketService } from "./s3/bucket_service.ts";
import { S3Store } from "./s3/s3_store.ts";
import type { Store } from "./store.ts";

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
