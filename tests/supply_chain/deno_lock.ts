/** Parses deno.lock: npm packages with their integrity, and `@std` packages if JSR was reachable when it was made. */

/** A locked package. */
export interface LockedPackage {
  /** Key in the lock: `name@version`, followed by its peer dependencies. */
  id: string;
  name: string;
  version: string;
  /** For npm `sha512-` and Base64; for JSR the SHA-256 of the version's file list in hexadecimal. */
  integrity: string | undefined;
  /** Ids of its dependencies. */
  dependencies: string[];
}

/** Content of a deno.lock. */
export interface DenoLock {
  /** npm packages by id. */
  npm: Map<string, LockedPackage>;
  /** JSR packages by id; empty if the lock was made without access to JSR. */
  jsr: Map<string, LockedPackage>;
}

interface Entry {
  integrity?: string;
  dependencies?: string[];
  optionalDependencies?: string[];
}

interface LockFile {
  version?: string;
  /** Versions by specifier with a range, such as `jsr:@std/assert@^1.0.19`. */
  specifiers?: Record<string, string>;
  npm?: Record<string, Entry>;
  jsr?: Record<string, Entry>;
}

/** Supported version of the format; another one may keep packages elsewhere, where they would be missed. */
const VERSION = "5";

/** Splits an id such as `@scope/name@1.0.0_peer@2.0.0` into name and version; the rest identifies the set of peers. */
export function splitId(id: string): { name: string; version: string } {
  const at = id.indexOf("@", 1);
  const version = at < 0 ? "" : id.slice(at + 1).split("_")[0]!;
  if (!version) throw new Error(`Cannot read ${id} of deno.lock as a package: it has no version`);
  return { name: id.slice(0, at), version };
}

/** Resolves a dependency to an id. The lock has its name if there is one version of it, otherwise its id or a specifier with a range. */
function resolveId(wanted: string, ids: readonly string[], specifiers: Record<string, string>): string {
  const version = specifiers[wanted];
  const bare = wanted.replace(/^(?:jsr|npm):/, "");
  const name = version ? `${splitId(bare).name}@${version}` : bare;
  const [found, another] = ids.includes(name) ? [name] : ids.filter((id) => splitId(id).name === name);
  if (!found || another) throw new Error(`Cannot resolve ${wanted} to one package of deno.lock`);
  return found;
}

function toPackages(
  entries: Record<string, Entry>,
  specifiers: Record<string, string>,
): Map<string, LockedPackage> {
  const ids = Object.keys(entries);
  return new Map(
    Object.entries(entries).map(([id, { integrity, dependencies = [], optionalDependencies = [] }]) => [id, {
      id,
      ...splitId(id),
      integrity,
      dependencies: [...dependencies, ...optionalDependencies].map((wanted) =>
        resolveId(wanted, ids, specifiers)
      ),
    }]),
  );
}

/**
 * Parses a deno.lock.
 *
 * @throws {Error} when its version is not supported, or a dependency is not in it
 */
export function parseDenoLock(text: string): DenoLock {
  const { version, specifiers = {}, npm = {}, jsr = {} }: LockFile = JSON.parse(text);
  if (version !== VERSION) {
    throw new Error(`Cannot read deno.lock: its version must be ${VERSION}, it is ${version}`);
  }
  return { npm: toPackages(npm, specifiers), jsr: toPackages(jsr, specifiers) };
}
