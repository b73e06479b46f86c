import { assert, assertEquals } from "@std/assert";
import { beforeAll, describe, it } from "@std/testing/bdd";
import { Version } from "@cyclonedx/cyclonedx-library/Spec";
import { JsonStrictValidator } from "@cyclonedx/cyclonedx-library/Validation";
// The validator looks for these itself; Deno only gives it what deno.lock knows to be imported.
import "ajv";
import "ajv-formats";
import "ajv-formats-draft2019";
import { billOfMaterials } from "../../supply_chain/sbom/bom.ts";
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
  text = billOfMaterials(inventory);
  const bom = JSON.parse(text);
  components = bom.components;
  dependencies = new Map(
    bom.dependencies.map((
      { ref, dependsOn = [] }: { ref: string; dependsOn?: string[] },
    ) => [ref, dependsOn]),
  );
});

/** The one component of a package URL. */
function component(purl: string): Component {
  const found = components.filter((component) => component.purl === purl);
  assertEquals(found.length, 1, `${purl} is there ${found.length} times`);
  return found[0]!;
}

/** References of everything that a part consists of, at any depth. */
function contents(part: string): Set<string> {
  const found = new Set<string>();
  const ahead = [...dependencies.get(`salesflow/${part}`)!];
  for (let ref = ahead.pop(); ref; ref = ahead.pop()) {
    if (found.has(ref)) continue;
    found.add(ref);
    ahead.push(...dependencies.get(ref)!);
  }
  return found;
}

function npmPurl({ name, version }: { name: string; version: string }): string {
  return `pkg:npm/${name.replace("@", "%40")}@${version}`;
}

function sha512(integrity: string): Hash[] {
  const bytes = Uint8Array.from(atob(integrity.replace("sha512-", "")), (byte) => byte.charCodeAt(0));
  return [{ alg: "SHA-512", content: [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("") }];
}

describe("billOfMaterials()", () => {
  it("makes a document that the schema of CycloneDX 1.6 allows", async () => {
    assertEquals(await new JsonStrictValidator(Version.v1dot6).validate(text), null);
  });

  it("makes the same bytes when nothing has changed, and another serial number when something has", async () => {
    assertEquals(billOfMaterials(await readInventory()), text);
    const other = billOfMaterials({ ...inventory, jars: inventory.jars.slice(1) });
    assert(JSON.parse(other).serialNumber !== JSON.parse(text).serialNumber);
  });

  it("has every package of deno.lock and every database engine once, with its SHA-512", () => {
    for (const each of [...inventory.lock.npm.values(), ...inventory.engines]) {
      assertEquals(component(npmPurl(each)).hashes, sha512(each.integrity!));
    }
  });

  it("has every locked Python package once, with the SHA-256 of each of its files", () => {
    const { airflow, spark, development } = inventory.python;
    const all = [airflow, spark, ...development].flat();
    assert(all.length > 150);
    for (const { name, version } of all) {
      const { externalReferences = [] } = component(`pkg:pypi/${name}@${version}`);
      const same = all.filter((other) => other.name === name && other.version === version);
      assertEquals(
        externalReferences.flatMap(({ hashes = [] }) => hashes.map(({ content }) => content)).sort(),
        [...new Set(same.flatMap(({ hashes }) => hashes))].sort(),
      );
    }
  });

  it("has every jar of the images once, with its SHA-256", () => {
    assert(inventory.jars.length > 30);
    for (const { group, name, version, sha256 } of inventory.jars) {
      assertEquals(component(`pkg:maven/${group}/${name}@${version}`).hashes, [
        { alg: "SHA-256", content: sha256 },
      ]);
    }
  });

  it("has every @std package and every image of others once", () => {
    for (const { name, version } of inventory.std) {
      component(`pkg:generic/${name.replace("@", "%40")}@${version}`);
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

  it("has nothing that no lock and no file names", () => {
    const { lock, engines, python, jars, std, images } = inventory;
    const requirements = [python.airflow, python.spark, ...python.development].flat();
    const packages = new Set([
      ...[...lock.npm.values(), ...engines].map(npmPurl),
      ...[...requirements, ...jars, ...std, ...lock.jsr.values()].map(({ name, version }) =>
        `${name} ${version}`
      ),
      ...Object.values(images).flat(),
      "Deno's runtime",
    ]);
    assertEquals(components.filter(({ purl }) => purl).length, packages.size);
  });

  it("tells what is in the executable from what only development needs", () => {
    const executable = contents("executable");
    const development = contents("development");
    const has = (refs: Set<string>, name: string) =>
      [...refs].some((ref) => ref.startsWith(`pkg:npm/${name}@`) || ref.startsWith(`pkg:generic/${name}@`));
    for (const name of ["pg", "pg-types", "zod", "%40std/cli"]) {
      assert(has(executable, name), `${name} is missing in the executable`);
    }
    assertEquals(
      [...executable].filter((ref) => /fast-check|playwright|cyclonedx|std\/assert|pkg:pypi/.test(ref)),
      [],
    );
    assert(has(development, "pure-rand"), "what fast-check needs is missing in development");
    for (const { "bom-ref": ref, scope } of components) {
      if (executable.has(ref)) assertEquals(scope, "required", ref);
    }
    const inUse = ["executable", "image-salesflow-one", "spark-job", "services", "embedded-databases"];
    const used = new Set(inUse.flatMap((part) => [`salesflow/${part}`, ...contents(part)]));
    const excluded = components.filter(({ scope }) => scope === "excluded").map((each) => each["bom-ref"]);
    assertEquals(
      excluded.sort(),
      components.map((each) => each["bom-ref"]).filter((ref) => !used.has(ref)).sort(),
    );
  });

  it("lets every component be reached from the project", () => {
    const parts = dependencies.get("salesflow")!;
    const reached = new Set([
      ...parts,
      ...parts.flatMap((part) => [...contents(part.slice("salesflow/".length))]),
    ]);
    const refs = components.map((each) => each["bom-ref"]);
    assertEquals(refs.filter((ref) => !reached.has(ref)), []);
    assertEquals(new Set(refs).size, refs.length);
  });
});
