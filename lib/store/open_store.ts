/** Opens a store by path or URL. */
import { fileURLToPath } from "node:url";
import type { Environment } from "../connection/database_urls.ts";
import { maskUrl } from "../connection/mask_url.ts";
import { UsageError } from "../console/errors.ts";
import { FileStore } from "./file_store.ts";
import { readS3Settings } from "./s3/settings.ts";
import { S3Store } from "./s3/s3_store.ts";
import type { Store } from "./store.ts";

/** Reports whether the location of a store has a scheme, and so is a URL and not a path. */
export function isUrl(location: string): boolean {
  return /^[a-z][a-z0-9+.-]*:/i.test(location);
}

/** A bucket by S3's naming rules, and an optional prefix. */
const BUCKET_URL = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*?))?\/?$/;
/** Excludes other hosts: their folders are on other machines. */
const FOLDER_URL = /^file:\/\/(localhost)?\//i;

/**
 * Opens a store.
 *
 * @param location a path, `file:///folder`, or `s3://bucket/prefix`
 * @param environment the variables for `s3://`, see {@linkcode readS3Settings}
 * @throws {UsageError} when the location or the settings are invalid; contains no password or key
 */
export function openStore(location: string, environment?: Environment): Store {
  const usageError = (why: string) => new UsageError([`Cannot open the store ${maskUrl(location)}: ${why}`]);
  if (location.includes("\0")) throw usageError("it contains a NUL character");
  if (!isUrl(location)) return new FileStore(location);
  if (/[?#]/.test(location)) {
    throw usageError("it contains ? or #; in file:///folder, write them as %3F and %23");
  }
  if (FOLDER_URL.test(location)) {
    const path = toPath(location);
    if (path === undefined) {
      throw usageError("a % must be followed by two hexadecimal digits, and %2F and %00 are not allowed");
    }
    return new FileStore(path);
  }
  const bucket = BUCKET_URL.exec(location);
  if (bucket) {
    return new S3Store({ bucket: bucket[1]!, prefix: bucket[2] ?? "" }, readS3Settings(environment));
  }
  throw usageError("it must be a folder, file:///folder or s3://bucket/prefix");
}

/** Converts a `file:` URL to a path; undefined when its escapes are invalid. */
function toPath(url: string): string | undefined {
  try {
    const path = fileURLToPath(url);
    return path.includes("\0") ? undefined : path;
  } catch {
    return undefined;
  }
}
