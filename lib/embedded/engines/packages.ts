/** The npm packages that carry the engines, pinned by version and content. */
import table from "./packages.json" with { type: "json" };
import { SalesflowError } from "../../console/errors.ts";

/** A database engine that can be embedded. */
export type EngineName = "postgres" | "clickhouse";

/** Every engine, in the order of their names in messages. */
export const ENGINES: readonly EngineName[] = ["postgres", "clickhouse"];

/** What a person can do where the embedded databases cannot be had. */
export const OWN_SERVERS_REMEDY =
  "Set SALESFLOW_POSTGRES_URL and SALESFLOW_CLICKHOUSE_URL to use servers of your own.";

/** One package of one engine for one platform. */
export interface EnginePackage {
  /** The npm name, with its scope. */
  name: string;
  version: string;
  /** Subresource integrity of the tarball, as the registry states it: `sha512-` and base64. */
  integrity: string;
}

/**
 * The package that carries `engine` for a platform.
 *
 * @param platform operating system and architecture as Deno names them
 * @throws {SalesflowError} when nobody publishes this engine for the platform
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
    `Cannot embed ${engine} on ${key}: there is an engine for ${Object.keys(packages).join(", ")} only`,
    { remedy: OWN_SERVERS_REMEDY },
  );
}

/** Which files of a package are needed (paths without `package/`), and which of them is the engine's path. */
export const LAYOUT: Record<EngineName, { needed: RegExp; entry: string }> = {
  postgres: { needed: /^(native\/(?!.*\.a$|lib\/pkgconfig\/)|LICENSE)/, entry: "native" },
  clickhouse: { needed: /^libchdb\.so$/, entry: "libchdb.so" },
};
