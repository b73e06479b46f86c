/** Parses locked Python requirements, as written by `uv pip compile --generate-hashes`. */

/** A locked Python package. */
export interface Requirement {
  name: string;
  version: string;
  /** SHA-256 of each distribution of this version: wheels by platform, and the source. */
  hashes: string[];
  /** Whether it is a direct dependency. */
  direct: boolean;
  /** Packages that depend on it. */
  via: string[];
}

const PACKAGE = /^([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?==([^\s;\\]+)(?:\s*;[^\\]*)?\s*\\?$/;
const HASH = /^ +--hash=sha256:([0-9a-f]{64})(?: \\)?$/;
const VIA = /^ +# +(?:via(?= |$))?(.*)$/;

/** Normalizes a package name by PEP 503: `Foo._bar` and `foo-bar` are the same package. */
export function normalizeName(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, "-");
}

/**
 * Parses a locked requirements.txt.
 *
 * @throws {Error} on a line that does not belong in a lock, such as a requirement without an exact version
 */
export function parseRequirements(text: string): Requirement[] {
  const requirements: Requirement[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const [, name, version] = PACKAGE.exec(line) ?? [];
    const [, hash] = HASH.exec(line) ?? [];
    const via = VIA.exec(line)?.[1]?.trim();
    const last = requirements.at(-1);
    if (name && version) {
      requirements.push({ name: normalizeName(name), version, hashes: [], direct: false, via: [] });
    } else if (hash && last) last.hashes.push(hash);
    else if (via !== undefined && last) {
      if (via.startsWith("-r ")) last.direct = true;
      // A constraints file (-c) is not a dependent.
      else if (via && !via.startsWith("-")) last.via.push(normalizeName(via));
    } else if (line.trim() && !line.startsWith("#")) {
      throw new Error(`Cannot read line ${index + 1} as a locked requirement: ${line}`);
    }
  }
  return requirements;
}
