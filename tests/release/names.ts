/** Names of everything that a release consists of: the only place to change them. */

/** Root of the repository. */
export const ROOT: URL = new URL("../../", import.meta.url);

/** Platforms of the executable: the name in a file's name, and Deno's name for `deno compile --target`. */
export const TARGETS = {
  "linux-x64": "x86_64-unknown-linux-gnu",
  "linux-arm64": "aarch64-unknown-linux-gnu",
  "macos-x64": "x86_64-apple-darwin",
  "macos-arm64": "aarch64-apple-darwin",
  "windows-x64": "x86_64-pc-windows-msvc",
} as const;

/** A platform of the executable. */
export type Target = keyof typeof TARGETS;

/** Images by their name in the registry, with their Dockerfiles. The names are those of the chart's values. */
export const IMAGES = {
  "salesflow": "k8s/salesflow/Dockerfile",
  "salesflow-spark": "k8s/spark/Dockerfile",
  "salesflow-airflow": "k8s/airflow/Dockerfile",
} as const;

/** Architectures of the images, as Docker names them. */
export const ARCHITECTURES = ["amd64", "arm64"] as const;

/** Where the files of a release are built, from the root of the repository. */
export const FOLDER = "dist/release";

/** Returns the registry: that of GitHub, below the owner of the repository; its names are in lower case. */
export function defaultRegistry(
  owner: string | undefined = Deno.env.get("GITHUB_REPOSITORY_OWNER"),
): string | undefined {
  return owner ? `ghcr.io/${owner.toLowerCase()}` : undefined;
}

/** Returns the version of the program. */
export async function readVersion(): Promise<string> {
  return JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT))).version;
}

/**
 * Checks that a tag, such as `v1.2.0`, is the version of the program and of the chart.
 *
 * @throws {TypeError} naming what differs
 */
export function checkTag(tag: string, version: string, chart: string): void {
  const found: Record<string, string> = {
    "deno.json": version,
    "helm/salesflow/Chart.yaml (version)": /^version: "?([\w.-]+)"?$/m.exec(chart)?.[1] ?? "none",
    "helm/salesflow/Chart.yaml (appVersion)": /^appVersion: "?([\w.-]+)"?$/m.exec(chart)?.[1] ?? "none",
  };
  const differing = Object.entries(found).filter(([, each]) => tag !== `v${each}`);
  if (differing.length === 0) return;
  const list = differing.map(([place, each]) => `${each} in ${place}`).join(", ");
  throw new TypeError(`The tag ${tag} is not the version that is released: ${list}`);
}

/** Returns the name of an executable's file: an archive, except for Windows. */
export function executableName(version: string, target: Target): string {
  return `salesflow-${version}-${target}${target.startsWith("windows") ? ".exe" : ".tar.gz"}`;
}

/**
 * Returns the chart's values with the images of a registry, so that `helm install` pulls them.
 *
 * @throws {TypeError} when the values do not have each image of ours once
 */
export function pointToRegistry(values: string, registry: string): string {
  let result = values;
  for (const name of ["salesflow", "salesflow-spark"]) {
    const line = new RegExp(`^( +repository: )${name}$`, "gm");
    const count = [...values.matchAll(line)].length;
    if (count !== 1) {
      throw new TypeError(`The chart's values have the image ${name} ${count} times, not once`);
    }
    result = result.replace(line, `$1${registry}/${name}`);
  }
  return result;
}
