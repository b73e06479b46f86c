/** Downloads large pinned files: resumes, verifies the hash, reports progress. */
import { createHash } from "node:crypto";
import { messageChain, NO_SPACE, SalesflowError } from "../../console/errors.ts";
import type { EnginePackage } from "./packages.ts";
import type { RegistryRequest } from "./registry.ts";

/** HTTP statuses after which a retry may succeed. */
const TRANSIENT_STATUSES = new Set([408, 425, 429, 500, 502, 503, 504]);
/** A connection that delivers no data for this long counts as dead. */
const STALL_TIMEOUT_MS = 60_000;

/** Progress and cancellation of a download. */
export interface DownloadOptions {
  /** Called with the bytes downloaded and the total; the total is 0 when the registry does not send it. */
  onBytes?: (doneBytes: number, totalBytes: number) => void;
  /** Cancels the download; it rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

const REMEDY =
  "Check the network and npm's registry setting, then run the command again: the download resumes where it stopped.";
const NO_SPACE_REMEDY =
  "Free disk space, or set SALESFLOW_CACHE to a folder on another disk, then run the command again.";
const CERTIFICATE_REMEDY =
  "If the network has its own certificate authority, set DENO_TLS_CA_STORE=system or DENO_CERT=FILE.";

function temporaryError(message: string, cause?: unknown): SalesflowError {
  const causes = messageChain(cause).join();
  const remedy = NO_SPACE.test(causes)
    ? NO_SPACE_REMEDY
    : /certificate/i.test(causes)
    ? CERTIFICATE_REMEDY
    : REMEDY;
  return new SalesflowError(message, { exitCode: 75, remedy, cause });
}

/** Returns the URL without the user and password that it may contain. */
function maskCredentials({ url }: RegistryRequest): string {
  return url.origin + url.pathname;
}

/** Sends the request; asks for the bytes from `offset` on, which the registry may ignore. */
async function send(request: RegistryRequest, offset: number, signal: AbortSignal): Promise<Response> {
  const { url } = request;
  const headers = offset > 0 ? { ...request.headers, range: `bytes=${offset}-` } : request.headers;
  let response: Response;
  try {
    response = await fetch(url, { headers, signal });
  } catch (cause) {
    throw temporaryError(`Cannot reach ${url.origin} to download ${url.pathname}`, cause);
  }
  if (response.ok) return response;
  await response.body?.cancel();
  if (response.status === 416) return await send(request, 0, signal); // nothing follows the part on disk
  const { status, statusText } = response;
  const message = `Cannot download ${
    maskCredentials(request)
  }: the registry returned ${status} ${statusText}`;
  if (TRANSIENT_STATUSES.has(status)) throw temporaryError(message);
  throw new SalesflowError(message, { remedy: "Check `npm config get registry` and its credentials." });
}

/** Feeds the file's content to `hash`; returns its length in bytes. */
async function hashFile(file: Deno.FsFile, hash: ReturnType<typeof createHash>): Promise<number> {
  const buffer = new Uint8Array(1 << 20);
  let length = 0;
  for (let read = await file.read(buffer); read !== null; read = await file.read(buffer)) {
    hash.update(buffer.subarray(0, read));
    length += read;
  }
  return length;
}

/**
 * Downloads a package's tarball to `path` and verifies it. Resumes a partial file of an interrupted attempt.
 *
 * @throws {SalesflowError} exit code 75 for temporary trouble, 1 when the registry refuses or the content is not the
 *   pinned one
 */
export async function downloadTarball(
  { name, version, integrity }: EnginePackage,
  request: RegistryRequest,
  path: string,
  { onBytes, signal }: DownloadOptions = {},
): Promise<void> {
  const stalled = new AbortController();
  const combined = signal ? AbortSignal.any([signal, stalled.signal]) : stalled.signal;
  let hash = createHash("sha512");
  let timer: ReturnType<typeof setTimeout> | undefined;
  const restartTimer = () => {
    clearTimeout(timer);
    const late = () => stalled.abort(new Error(`no data for ${STALL_TIMEOUT_MS / 1000} s`));
    timer = setTimeout(late, STALL_TIMEOUT_MS);
  };
  using file = await Deno.open(path, { read: true, write: true, create: true });
  let done = await hashFile(file, hash);
  try {
    restartTimer();
    const response = await send(request, done, combined);
    if (response.status !== 206 && done > 0) {
      hash = createHash("sha512");
      await file.truncate(0);
      await file.seek(0, Deno.SeekMode.Start);
      done = 0;
    }
    const total = done + Number(response.headers.get("content-length") ?? 0);
    onBytes?.(done, total);
    for await (const chunk of response.body ?? []) {
      restartTimer();
      hash.update(chunk);
      for (let offset = 0; offset < chunk.length;) offset += await file.write(chunk.subarray(offset));
      done += chunk.length;
      onBytes?.(done, total);
    }
    if (done < total) throw new Error(`the connection closed after ${done} of ${total} bytes`);
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof SalesflowError || cause instanceof Deno.errors.NotCapable) throw cause;
    throw temporaryError(`The download of ${name}@${version} stopped after ${done} bytes`, cause);
  } finally {
    clearTimeout(timer);
  }
  const actual = `sha512-${hash.digest("base64")}`;
  if (actual === integrity) return;
  await Deno.remove(path);
  throw new SalesflowError(
    `${maskCredentials(request)} is not the pinned ${name}@${version}: expected ${integrity}, got ${actual}`,
    {
      remedy:
        "Something between the registry and this machine replaces packages. Check the registry or proxy, then run the command again.",
    },
  );
}
