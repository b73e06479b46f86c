/**
 * `deno task release STEP`: the steps of a release, which .github/workflows/release.yml runs; see docs/releases.md. Results go
 * to stdout, the output of the programs to stderr.
 */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { readArguments } from "../arguments.ts";
import { buildFiles } from "./files.ts";
import {
  ARCHITECTURES,
  checkTag,
  defaultRegistry,
  FOLDER,
  readVersion,
  ROOT,
  type Target,
  TARGETS,
} from "./names.ts";
import { buildImages, publish } from "./registry.ts";

const ALL = Object.keys(TARGETS) as Target[];

const { flags, argument: step } = readArguments({
  command: "deno task release",
  summary: "A step of a release: version, files, images or publish.",
  flags: {
    tag: { help: "version: the tag that is released", placeholder: "TAG" },
    target: { help: "files: only this executable", placeholder: "NAME", choices: ALL },
    architecture: { help: "images: of this machine", placeholder: "NAME", choices: ARCHITECTURES },
    registry: {
      help: "files, images, publish: where images are, by default ghcr.io/OWNER on GitHub",
      placeholder: "HOST/PATH",
    },
    folder: { help: `files, publish: instead of ${FOLDER}`, placeholder: "FOLDER" },
    push: { help: "images: push them" },
  },
  argument: { name: "STEP", help: "version, files, images or publish" },
});

function fail(message: string): never {
  console.error(`error: ${message}`);
  Deno.exit(2);
}

function registry(): string {
  return flags.registry ?? defaultRegistry() ?? fail("Give --registry HOST/PATH");
}

const folder = flags.folder === undefined ? fileURLToPath(new URL(FOLDER, ROOT)) : resolve(flags.folder);

const STEPS: Record<string, () => Promise<string[]>> = {
  async version() {
    const chart = await Deno.readTextFile(new URL("helm/salesflow/Chart.yaml", ROOT));
    const version = await readVersion();
    if (!flags.tag) fail("Give --tag TAG");
    checkTag(flags.tag, version, chart);
    return [version];
  },
  files: () => buildFiles(folder, flags.target ? [flags.target as Target] : ALL, registry()),
  images: () => {
    const own = Deno.build.arch === "aarch64" ? "arm64" : "amd64";
    const architecture = ARCHITECTURES.find((name) => name === flags.architecture) ?? own;
    return buildImages(registry(), architecture, flags.push ?? false);
  },
  async publish() {
    return Object.entries(await publish(folder, registry())).map(([name, digest]) => `${name}=${digest}`);
  },
};

if (!step || !Object.hasOwn(STEPS, step)) fail(`Give a step: ${Object.keys(STEPS).join(", ")}`);
try {
  for (const line of await STEPS[step]!()) console.log(line);
} catch (error) {
  console.error(`error: ${(error as Error).message}`);
  Deno.exit(1);
}
