/** Reads all locked dependencies from the project's files. */
import engines from "../../lib/embedded/engines/packages.json" with { type: "json" };
import { type DenoLock, type LockedPackage, parseDenoLock } from "./deno_lock.ts";
import { parseChartImages, parseComposeImages, parseDockerfileImages } from "./images.ts";
import { type Jar, parseJars } from "./jars.ts";
import { type ProgramGraph, readProgramGraph } from "./sbom/program_graph.ts";
import { parseRequirements, type Requirement } from "./requirements.ts";

/** The repository's root. */
export const ROOT: URL = new URL("../../", import.meta.url);

/** Files of locked Python packages, by purpose. */
export const REQUIREMENTS = {
  spark: "k8s/spark/requirements.txt",
  development: [
    "dags/requirements.txt",
    "tests/bench/ingest/requirements.txt",
    "tests/bench/usual/requirements.txt",
    "tests/dags/requirements.txt",
    "tests/spark/requirements.txt",
    "tests/supply_chain/audit/requirements.txt",
  ],
} as const;

/** All locked dependencies of the project. */
export interface Inventory {
  name: string;
  version: string;
  licence: string;
  /** Version of the Deno runtime in the executable. */
  deno: string;
  lock: DenoLock;
  program: ProgramGraph;
  /** `@std` packages of deno.json, with their integrity if deno.lock has it. */
  std: LockedPackage[];
  /** npm packages in deno.json that the program does not import. */
  development: LockedPackage[];
  engines: { name: string; version: string; integrity: string }[];
  python: { spark: Requirement[]; development: Requirement[][] };
  jars: Jar[];
  images: { salesflow: string[]; spark: string[]; airflow: string[]; services: string[] };
}

async function read(path: string): Promise<string> {
  return await Deno.readTextFile(new URL(path, ROOT));
}

async function readRequirements(path: string): Promise<Requirement[]> {
  return parseRequirements(await read(path));
}

/** Returns the packages of a registry in the imports of deno.json, such as `npm:/@faker-js/faker@10.6.0/locale/en`. */
function parseImports(
  imports: Record<string, string>,
  registry: string,
): { name: string; version: string }[] {
  const found = new Map<string, { name: string; version: string }>();
  for (const specifier of Object.values(imports)) {
    const [, name, version] = new RegExp(`^${registry}:/?(@?[^@]+)@([^/]+)`).exec(specifier) ?? [];
    if (name && version) found.set(name, { name, version });
  }
  return [...found.values()];
}

async function readImages(): Promise<Inventory["images"]> {
  const dockerfile = async (name: string) => parseDockerfileImages(await read(`k8s/${name}/Dockerfile`));
  const compose = parseComposeImages(await read("compose.yaml"));
  const chart = parseChartImages(await read("helm/salesflow/values.yaml"));
  return {
    salesflow: await dockerfile("salesflow"),
    spark: await dockerfile("spark"),
    airflow: await dockerfile("airflow"),
    services: [...new Set([...compose, ...chart])].sort(),
  };
}

/** Reads the inventory. Does not use the network. */
export async function readInventory(): Promise<Inventory> {
  const { version, license, imports } = JSON.parse(await read("deno.json"));
  const lock = parseDenoLock(await read("deno.lock"));
  const program = await readProgramGraph(ROOT);
  const images = await readImages();
  const deno = /:debian-([\d.]+)$/.exec(images.salesflow.find((image) => /\/deno:/.test(image)) ?? "")?.[1];
  if (!deno) throw new Error("Cannot find the version of Deno in k8s/salesflow/Dockerfile");
  const npm = [...lock.npm.values()];
  return {
    name: "salesflow",
    version,
    licence: license,
    deno,
    lock,
    program,
    std: parseImports(imports, "jsr").map(({ name, version }) => {
      const id = `${name}@${version}`;
      return lock.jsr.get(id) ?? { id, name, version, integrity: undefined, dependencies: [] };
    }),
    development: parseImports(imports, "npm").flatMap((wanted) =>
      npm.filter(({ id, name, version }) =>
        name === wanted.name && version === wanted.version && !program.npm.includes(id)
      )
    ),
    engines: Object.values(engines).flatMap((platforms) => Object.values(platforms)),
    python: {
      spark: await readRequirements(REQUIREMENTS.spark),
      development: await Promise.all(REQUIREMENTS.development.map(readRequirements)),
    },
    jars: parseJars(await read("k8s/jars/jars.sha256")),
    images,
  };
}
