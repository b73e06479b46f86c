/** What deno.lock holds: npm packages with their integrity, and `@std` packages where JSR could be reached. */

/** A package that Deno fetches. */
export interface LockedPackage {
  /** Key in the lock: `name@version`, and what its peer dependencies are. */
  id: string;
  name: string;
  version: string;
  /** `sha512-…` in Base64 for npm, SHA-256 in hexadecimal of the version's list of files for JSR. */
  integrity: string | undefined;
  /** Ids of the packages that it needs. */
  dependencies: string[];
}

/** A lock, read. */
export interface DenoLock {
  /** npm packages by id. */
  npm: Map<string, LockedPackage>;
  /** JSR packages by id; none where the lock was made without JSR. */
  jsr: Map<string, LockedPackage>;
}

interface Entry {
  integrity?: string;
  dependencies?: string[];
  optionalDependencies?: string[];
}

interface File {
  version?: string;
  /** Version for each specifier with a range, such as `jsr:@std/assert@^1.0.19`. */
  specifiers?: Record<string, string>;
  npm?: Record<string, Entry>;
  jsr?: Record<string, Entry>;
}

/** A lock of another version may keep packages elsewhere, which would then be missed. */
const VERSION = "5";

/** Name and version of `@scope/name@1.0.0_peer@2.0.0`; the rest tells one set of peers from another. */
export function splitId(id: string): { name: string; version: string } {
  const at = id.indexOf("@", 1);
  const version = at < 0 ? "" : id.slice(at + 1).split("_")[0]!;
  if (!version) throw new Error(`Cannot read ${id} of deno.lock as a package: it has no version`);
  return { name: id.slice(0, at), version };
}

/** A dependency stands in the lock by name where there is one version of it, otherwise by id, or by a specifier with a range. */
function resolve(wanted: string, ids: readonly string[], specifiers: Record<string, string>): string {
  const version = specifiers[wanted];
  const bare = wanted.replace(/^(?:jsr|npm):/, "");
  const name = version ? `${splitId(bare).name}@${version}` : bare;
  const [found, another] = ids.includes(name) ? [name] : ids.filter((id) => splitId(id).name === name);
  if (!found || another) throw new Error(`Cannot tell which package of deno.lock ${wanted} is`);
  return found;
}

function packages(
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
        resolve(wanted, ids, specifiers)
      ),
    }]),
  );
}

/**
 * Reads a deno.lock.
 *
 * @throws {Error} when it is of another version, or a dependency is not in it
 */
export function parseDenoLock(text: string): DenoLock {
  const { version, specifiers = {}, npm = {}, jsr = {} }: File = JSON.parse(text);
  if (version !== VERSION) {
    throw new Error(`Cannot read deno.lock: its version must be ${VERSION}, it is ${version}`);
  }
  return { npm: packages(npm, specifiers), jsr: packages(jsr, specifiers) };
}
