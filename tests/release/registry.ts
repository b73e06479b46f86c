/** What a release has in a registry: the images, each for two architectures under one name, and the chart. */
import { ARCHITECTURES, IMAGES, readVersion } from "./names.ts";
import { runCommand } from "./run_command.ts";

/** Builds the images of one architecture on a machine of it, and pushes them if `push` is set. */
export async function buildImages(
  registry: string,
  architecture: typeof ARCHITECTURES[number],
  push: boolean,
): Promise<string[]> {
  const version = await readVersion();
  const names: string[] = [];
  for (const [image, dockerfile] of Object.entries(IMAGES)) {
    const name = `${registry}/${image}:${version}-${architecture}`;
    const platform = `linux/${architecture}`;
    await runCommand("docker", ["build", "--platform", platform, "--file", dockerfile, "--tag", name, "."]);
    names.push(name);
  }
  // Nothing is pushed unless all of them can be built.
  for (const name of push ? names : []) await runCommand("docker", ["push", name]);
  return names;
}

/**
 * Joins the images of all architectures under the version, and pushes the chart.
 *
 * @param folder absolute path of the folder with the chart
 * @returns the digest of each image by its name
 */
export async function publish(folder: string, registry: string): Promise<Record<string, string>> {
  const version = await readVersion();
  const digests: Record<string, string> = {};
  for (const image of Object.keys(IMAGES)) {
    const name = `${registry}/${image}:${version}`;
    const parts = ARCHITECTURES.map((architecture) => `${name}-${architecture}`);
    await runCommand("docker", ["buildx", "imagetools", "create", "--tag", name, ...parts]);
    const format = ["--format", "{{.Manifest.Digest}}"];
    const inspect = ["buildx", "imagetools", "inspect", name, ...format];
    const digest = (await runCommand("docker", inspect, { capture: true })).trim();
    if (!/^sha256:[0-9a-f]{64}$/.test(digest)) throw new Error(`${name} has no digest: ${digest}`);
    digests[image] = digest;
  }
  await runCommand("helm", ["push", `${folder}/salesflow-${version}.tgz`, `oci://${registry}/charts`]);
  return digests;
}
