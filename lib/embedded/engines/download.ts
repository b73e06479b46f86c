/** Downloads of large pinned files: resumable, checked, with progress. */
import { createHash } from "node:crypto";
import { messageChain, SalesflowError } from "../../console/errors.ts";
import type { EnginePackage } from "./packages.ts";
import type { Source } from "./registry.ts";

/** Statuses after which a later attempt may succeed. */
const TRANSIENT = new Set([408, 425, 429, 500, 502, 503, 504]);
/** No byte for so long means that the connection is dead. */
const STALL_MS = 60_000;

/** How a download goes. */
export interface DownloadOptions {
  /** Bytes so far and in all; all is 0 when the registry does not say. */
  onBytes?: (doneBytes: number, totalBytes: number) => void;
  signal?: AbortSignal | undefined;
}

const REMEDY = "Check the network and npm's registry setting, then start again: it goes on where it stopped.";
const CERTIFICATE_REMEDY =
  "If the network has a certificate authority of its own, set DENO_TLS_CA_STORE=system or DENO_CERT=FILE.";

function again(found: string, cause?: unknown): SalesflowError {
  const remedy = /certificate/i.test(messageChain(cause).join()) ? CERTIFICATE_REMEDY : REMEDY;
  return new SalesflowError(found, { exitCode: 75, remedy, cause });
}

/** The address without the user and password that may stand in it. */
function placeOf({ url }: Source): string {
  return url.origin + url.pathname;
}

/** Opens the response, from byte `from` on when the registry can do that. */
async function open(source: Source, from: number, signal: AbortSignal): Promise<Response> {
  const headers = from > 0 ? { ...source.headers, range: `bytes=${from}-` } : source.headers;
  let response: Response;
  try {
    response = await fetch(source.url, { headers, signal });
  } catch (cause) {
    throw again(`Cannot reach ${source.url.origin} to download ${source.url.pathname}`, cause);
  }
  if (response.ok) return response;
  await response.body?.cancel();
  if (response.status === 416) return await open(source, 0, signal); // the part is longer than the file
  const found = `Cannot download ${
    placeOf(source)
  }: the registry answers ${response.status} ${response.statusText}`;
  if (TRANSIENT.has(response.status)) throw again(found);
  throw new SalesflowError(found, { remedy: "Check `npm config get registry` and its credentials." });
}

/** Feeds what is there of the file to `hash`; returns its length in bytes. */
async function rehash(file: Deno.FsFile, hash: ReturnType<typeof createHash>): Promise<number> {
  const buffer = new Uint8Array(1 << 20);
  let length = 0;
  for (let read = await file.read(buffer); read !== null; read = await file.read(buffer)) {
    hash.update(buffer.subarray(0, read));
    length += read;
  }
  return length;
}

/**
 * Downloads a package's tarball to `path` and checks it. What an interrupted attempt left there is used.
 *
 * @throws {SalesflowError} exit code 75 for trouble that may pass, 1 for a refusal or when the content is not
 *   the pinned one
 */
export async function downloadTarball(
  { name, version, integrity }: EnginePackage,
  source: Source,
  path: string,
  { onBytes, signal }: DownloadOptions = {},
): Promise<void> {
  const stalled = new AbortController();
  const either = signal ? AbortSignal.any([signal, stalled.signal]) : stalled.signal;
  let hash = createHash("sha512");
  let timer: ReturnType<typeof setTimeout> | undefined;
  const alive = () => {
    clearTimeout(timer);
    timer = setTimeout(() => stalled.abort(new Error(`nothing came for ${STALL_MS / 1000} s`)), STALL_MS);
  };
  using file = await Deno.open(path, { read: true, write: true, create: true });
  let done = await rehash(file, hash);
  try {
    alive();
    const response = await open(source, done, either);
    if (response.status !== 206 && done > 0) {
      hash = createHash("sha512");
      await file.truncate(0);
      await file.seek(0, Deno.SeekMode.Start);
      done = 0;
    }
    const total = done + Number(response.headers.get("content-length") ?? 0);
    onBytes?.(done, total);
    for await (const chunk of response.body ?? []) {
      alive();
      hash.update(chunk);
      for (let at = 0; at < chunk.length;) at += await file.write(chunk.subarray(at));
      done += chunk.length;
      onBytes?.(done, total);
    }
    if (done < total) throw new Error(`the connection ended after ${done} of ${total} bytes`);
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof SalesflowError || cause instanceof Deno.errors.NotCapable) throw cause;
    throw again(`The download of ${name}@${version} stopped after ${done} bytes`, cause);
  } finally {
    clearTimeout(timer);
  }
  const found = `sha512-${hash.digest("base64")}`;
  if (found === integrity) return;
  await Deno.remove(path);
  throw new SalesflowError(
    `${placeOf(source)} is not ${name}@${version} as pinned: expected ${integrity}, got ${found}`,
    { remedy: "Something on the way replaces packages. Check the registry or proxy, then start again." },
  );
}
