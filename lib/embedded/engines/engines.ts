/**
 * The installed database engines. They are downloaded from the npm registry once and kept in the cache:
 * `<cache>/engines/<name>-<version>`.
 */
import { join } from "node:path";
import { SalesflowError } from "../../console/errors.ts";
import { exists } from "../files/exists.ts";
import { cacheFolder } from "./cache_folder.ts";
import type { PackageOptions } from "./engine_package.ts";
import { type EngineName, type EnginePackage, ENGINES, LAYOUT, packageFor } from "./packages.ts";

/** Paths of installed engines. */
export type EnginePaths<E extends EngineName = EngineName> = Record<E, string>;

/** How engines are installed. */
export interface EnsureOptions<E extends EngineName = EngineName> extends PackageOptions {
  /** Engines to install. @default {["postgres", "clickhouse"]} */
  engines?: readonly E[];
  /** Cache folder. @default {cacheFolder()} */
  cache?: string;
}

function installFolder(cache: string, { name, version }: EnginePackage): string {
  return join(cache, "engines", `${name.replace(/^@/, "").replace("/", "-")}-${version}`);
}

/**
 * Returns which of the engines are not in the cache, and so would be downloaded.
 *
 * @throws {SalesflowError} when there is no package for the platform
 */
export async function findMissingEngines(
  engines: readonly EngineName[],
  cache: string = cacheFolder(),
): Promise<EngineName[]> {
  const missing: EngineName[] = [];
  for (const engine of engines) {
    if (!await exists(installFolder(cache, packageFor(engine)))) missing.push(engine);
  }
  return missing;
}

/**
 * Installs the engines that are missing in the cache and returns the paths of all: PostgreSQL's folder with `bin`,
 * `lib` and `share`, and ClickHouse's shared library.
 *
 * @throws {SalesflowError} exit code 75 for network trouble, 1 for an unsupported platform, an unusable cache
 *   folder or a package that is not the pinned one
 */
export async function ensureEngines<E extends EngineName = EngineName>(
  options: EnsureOptions<E> = {},
): Promise<EnginePaths<E>> {
  const engines = options.engines ?? ENGINES as readonly E[];
  const packages = engines.map((engine) => ({ engine, pinned: packageFor(engine) }));
  const cache = options.cache ?? cacheFolder();
  const paths: Partial<EnginePaths> = {};
  for (const { engine, pinned } of packages) {
    const folder = installFolder(cache, pinned);
    try {
      if (!await exists(folder)) {
        // Loaded on demand: a machine needs the installer only once.
        const { ensurePackage } = await import("./engine_package.ts");
        await ensurePackage(engine, pinned, folder, options);
      }
    } catch (cause) {
      options.signal?.throwIfAborted();
      if (cause instanceof SalesflowError) throw cause;
      throw new SalesflowError(`Cannot install ${pinned.name} in ${folder}`, {
        remedy:
          "It needs 1 GB of free space and write permission; set SALESFLOW_CACHE to use another folder.",
        cause,
      });
    }
    paths[engine] = join(folder, LAYOUT[engine].entry);
  }
  return paths as EnginePaths<E>;
}
