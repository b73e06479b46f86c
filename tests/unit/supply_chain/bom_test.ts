import { assert, assertEquals } from "@std/assert";
import { beforeAll, describe, it } from "@std/testing/bdd";
import { Version } from "@cyclonedx/cyclonedx-library/Spec";
import { JsonStrictValidator } from "@cyclonedx/cyclonedx-library/Validation";
// The validator loads these dynamically; Deno provides only packages that are imported somewhere.
import "ajv";
import "ajv-formats";
import "ajv-formats-draft2019";
import { buildBom } from "../../supply_chain/sbom/bom.ts";
import { type Inventory, readInventory } from "../../supply_chain/inventory.ts";

interface Hash {
  alg: string;
  content: string;
}

interface Component {
  "bom-ref": string;
  name: string;
  purl?: string;
  scope: string;
  hashes?: Hash[];
  externalReferences?: { url: string; hashes?: Hash[] }[];
}

let inventory: Inventory;
let text: string;
let components: Component[];
let dependencies: Map<string, string[]>;

beforeAll(async () => {
  inventory = await readInventory();
  text = buildBom(inventory);
  const bom = JSON.parse(text);
  components = bom.components;
  dependencies = new Map(
    bom.dependencies.map((
      { ref, dependsOn = [] }: { ref: string; dependsOn?: string[] },
    ) => [ref, dependsOn]),
  );
});

/** Returns the component with the package URL; fails unless there is exactly one. */
function findComponent(purl: string): Component {
  const found = components.filter((component) => component.purl === purl);
  assertEquals(found.length, 1, `${purl} occurs ${found.length} times`);
  return found[0]!;
}

/** Returns the references of all transitive dependencies of a part. */
function collectDependencies(part: string): Set<string> {
  const found = new Set<string>();
  const pending = [...dependencies.get(`salesflow/${part}`)!];
  for (let ref = pending.pop(); ref; ref = pending.pop()) {
    if (found.has(ref)) continue;
    found.add(ref);
    pending.push(...dependencies.get(ref)!);
  }
  return found;
}

function toNpmPurl({ name, version }: { name: string; version: string }): string {
  return `pkg:npm/${name.replace("@", "%40")}@${version}`;
}

function toHashes(integrity: string): Hash[] {
  const bytes = Uint8Array.from(atob(integrity.replace("sha512-", "")), (byte) => byte.charCodeAt(0));
  return [{ alg: "SHA-512", content: [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("") }];
}

describe("buildBom()", () => {
  it("returns a document that is valid by the CycloneDX 1.6 schema", async () => {
    assertEquals(await new JsonStrictValidator(Version.v1dot6).validate(text), null);
  });

  it("returns the same bytes for the same inventory, and another serial number for a different one", async () => {
    assertEquals(buildBom(await readInventory()), text);
    const other = buildBom({ ...inventory, jars: inventory.jars.slice(1) });
    assert(JSON.parse(other).serialNumber !== JSON.parse(text).serialNumber);
  });

  it("contains every package of deno.lock and every database engine once, with its SHA-512", () => {
    for (const each of [...inventory.lock.npm.values(), ...inventory.engines]) {
      assertEquals(findComponent(toNpmPurl(each)).hashes, toHashes(each.integrity!));
    }
  });

  it("contains every locked Python package once, with the SHA-256 of each distribution", () => {
    const { spark, development } = inventory.python;
    const all = [spark, ...development].flat();
    assert(all.length > 150);
    for (const { name, version } of all) {
      const { externalReferences = [] } = findComponent(`pkg:pypi/${name}@${version}`);
      const same = all.filter((other) => other.name === name && other.version === version);
      assertEquals(
        externalReferences.flatMap(({ hashes = [] }) => hashes.map(({ content }) => content)).sort(),
        [...new Set(same.flatMap(({ hashes }) => hashes))].sort(),
      );
    }
  });

  it("contains every jar of the images once, with its SHA-256", () => {
    assert(inventory.jars.length > 30);
    for (const { group, name, version, sha256 } of inventory.jars) {
      assertEquals(findComponent(`pkg:maven/${group}/${name}@${version}`).hashes, [
        { alg: "SHA-256", content: sha256 },
      ]);
    }
  });

  it("contains every @std package and every third-party image once", () => {
    for (const { name, version } of inventory.std) {
      findComponent(`pkg:generic/${name.replace("@", "%40")}@${version}`);
    }
    const all = Object.values(inventory.images).flat();
    const listed = components.filter(({ purl }) => purl?.startsWith("pkg:docker/"));
    assertEquals(listed.length, new Set(all).size);
    const wanted = [
      /\/apache\/airflow@[\d.]+-python/,
      /\/distroless\/cc-debian12@nonroot\?repository_url=gcr\.io$/,
      /docker\/postgres@\d+$/,
    ];
    for (const purl of wanted) assert(listed.some((each) => purl.test(each.purl!)), String(purl));
  });

  it("contains nothing that is not in a lock or file", () => {
    const { lock, engines, python, jars, std, images } = inventory;
    const requirements = [python.spark, ...python.development].flat();
    const packages = new Set([
      ...[...lock.npm.values(), ...engines].map(toNpmPurl),
      ...[...requirements, ...jars, ...std, ...lock.jsr.values()].map(({ name, version }) =>
        `${name} ${version}`
      ),
      ...Object.values(images).flat(),
      "Deno's runtime",
    ]);
    assertEquals(components.filter(({ purl }) => purl).length, packages.size);
  });

  it("separates the executable's dependencies from those of development", () => {
    const executable = collectDependencies("executable");
    const development = collectDependencies("development");
    const has = (refs: Set<string>, name: string) =>
      [...refs].some((ref) => ref.startsWith(`pkg:npm/${name}@`) || ref.startsWith(`pkg:generic/${name}@`));
    for (const name of ["pg", "pg-types", "zod", "%40std/cli"]) {
      assert(has(executable, name), `${name} is missing from the executable`);
    }
    assertEquals(
      [...executable].filter((ref) => /fast-check|playwright|cyclonedx|std\/assert|pkg:pypi/.test(ref)),
      [],
    );
    assert(has(development, "pure-rand"), "the dependency of fast-check is missing from development");
    for (const { "bom-ref": ref, scope } of components) {
      if (executable.has(ref)) assertEquals(scope, "required", ref);
    }
    const inUse = ["executable", "image-salesflow-one", "spark-job", "services", "embedded-databases"];
    const used = new Set(inUse.flatMap((part) => [`salesflow/${part}`, ...collectDependencies(part)]));
    const excluded = components.filter(({ scope }) => scope === "excluded").map((each) => each["bom-ref"]);
    assertEquals(
      excluded.sort(),
      components.map((each) => each["bom-ref"]).filter((ref) => !used.has(ref)).sort(),
    );
  });

  it("reaches every component from the project", () => {
    const parts = dependencies.get("salesflow")!;
    const reached = new Set([
      ...parts,
      ...parts.flatMap((part) => [...collectDependencies(part.slice("salesflow/".length))]),
    ]);
    const refs = components.map((each) => each["bom-ref"]);
    assertEquals(refs.filter((ref) => !reached.has(ref)), []);
    assertEquals(new Set(refs).size, refs.length);
  });
});
