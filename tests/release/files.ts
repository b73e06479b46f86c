/** The files of a release: executables, chart, bill of materials and checksums. */
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { executableName, pointToRegistry, readVersion, ROOT, type Target, TARGETS } from "./names.ts";
import { runCommand } from "./run_command.ts";

/** Deno without the configuration, as the tasks start their scripts. */
const SCRIPT = ["run", "-A", "--no-config", "--no-lock"];
/** The same content gives the same archive. */
const SAME_BYTES = ["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mtime=@0", "--mode=a+rX"];

const path = (name: string) => fileURLToPath(new URL(name, ROOT));

/** Compiles the executable of a platform. */
async function buildExecutable(into: string, version: string, target: Target): Promise<void> {
  const name = executableName(version, target);
  const compile = (output: string) =>
    runCommand(Deno.execPath(), [
      ...SCRIPT,
      "cli/compile.ts",
      "--target",
      TARGETS[target],
      "--output",
      output,
    ]);
  if (name.endsWith(".exe")) {
    await compile(`${into}/${name}`);
    return;
  }
  const folder = await Deno.makeTempDir({ prefix: "salesflow-release-" });
  try {
    await compile(`${folder}/salesflow`);
    for (const file of ["LICENSE", "README.md"]) await Deno.copyFile(path(file), `${folder}/${file}`);
    const files = ["LICENSE", "README.md", "salesflow"];
    await runCommand("tar", ["-czf", `${into}/${name}`, ...SAME_BYTES, "-C", folder, ...files]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Packages the chart, with the images of the registry. */
async function buildChart(into: string, registry: string): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "salesflow-release-" });
  try {
    await runCommand("cp", ["-R", "helm/salesflow", folder]);
    const values = `${folder}/salesflow/values.yaml`;
    await Deno.writeTextFile(values, pointToRegistry(await Deno.readTextFile(values), registry));
    await runCommand("helm", ["package", `${folder}/salesflow`, "--destination", into]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function checksum(folder: string, name: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const bytes of (await Deno.open(`${folder}/${name}`)).readable) hash.update(bytes);
  return `${hash.digest("hex")}  ${name}`;
}

/**
 * Builds all files into a folder, which it empties before.
 *
 * @param folder absolute path
 * @returns their names
 */
export async function buildFiles(
  folder: string,
  targets: readonly Target[],
  registry: string,
): Promise<string[]> {
  const version = await readVersion();
  await Deno.remove(folder, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  await Deno.mkdir(folder, { recursive: true });
  for (const target of targets) await buildExecutable(folder, version, target);
  await buildChart(folder, registry);
  const sbom = `${folder}/salesflow-${version}.cdx.json`;
  const std = [...SCRIPT, "lib/std/deno.ts", "run", "-A"];
  await runCommand(Deno.execPath(), [...std, "tests/supply_chain/sbom/main.ts", sbom]);
  const names = (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();
  const sums = await Promise.all(names.map((name) => checksum(folder, name)));
  await Deno.writeTextFile(`${folder}/SHA256SUMS`, sums.map((line) => `${line}\n`).join(""));
  return [...names, "SHA256SUMS"];
}
