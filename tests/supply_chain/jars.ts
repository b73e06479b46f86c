/** Parses k8s/jars/jars.sha256: the jars that the images add to Spark. */

/** A locked jar. */
export interface Jar {
  group: string;
  name: string;
  version: string;
  sha256: string;
}

const LINE = /^([0-9a-f]{64}) {2}([\w.-]+)\/([\w.-]+)-(\d[\w.]*)\.jar$/;

/**
 * Parses lines of `<SHA-256>  <group>/<name>-<version>.jar`.
 *
 * @throws {Error} on any other line
 */
export function parseJars(text: string): Jar[] {
  return text.split("\n").filter(Boolean).map((line) => {
    const [, sha256, group, name, version] = LINE.exec(line) ?? [];
    if (!sha256 || !group || !name || !version) throw new Error(`Cannot read as a jar: ${line}`);
    return { group, name, version, sha256 };
  });
}
