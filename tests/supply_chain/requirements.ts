/** Locked Python requirements, as `uv pip compile --generate-hashes` writes them. */

/** A locked Python package. */
export interface Requirement {
  name: string;
  version: string;
  /** SHA-256 of each file of this version that may be installed: a wheel for each platform, the source. */
  hashes: string[];
  /** Whether the file that the lock was made from names it. */
  direct: boolean;
  /** Packages that ask for it. */
  via: string[];
}

const PACKAGE = /^([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?==([^\s;\\]+)(?:\s*;[^\\]*)?\s*\\?$/;
const HASH = /^ +--hash=sha256:([0-9a-f]{64})(?: \\)?$/;
const VIA = /^ +# +(?:via(?= |$))?(.*)$/;

/** A package's one name: `Foo._bar` and `foo-bar` are the same to PyPI (PEP 503). */
export function normalizedName(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, "-");
}

/**
 * Reads a file of requirements.
 *
 * @throws {Error} at a line that is not of a lock, such as a requirement without an exact version
 */
export function parseRequirements(text: string): Requirement[] {
  const requirements: Requirement[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const [, name, version] = PACKAGE.exec(line) ?? [];
    const [, hash] = HASH.exec(line) ?? [];
    const via = VIA.exec(line)?.[1]?.trim();
    const last = requirements.at(-1);
    if (name && version) {
      requirements.push({ name: normalizedName(name), version, hashes: [], direct: false, via: [] });
    } else if (hash && last) last.hashes.push(hash);
    else if (via !== undefined && last) {
      if (via.startsWith("-r ")) last.direct = true;
      // What stands behind -c only limits versions.
      else if (via && !via.startsWith("-")) last.via.push(normalizedName(via));
    } else if (line.trim() && !line.startsWith("#")) {
      throw new Error(`Cannot read line ${index + 1} as a locked requirement: ${line}`);
    }
  }
  return requirements;
}
