/** Builds the software bill of materials (SBOM): the parts of the project, and the components of each. */
import { createHash } from "node:crypto";
import * as Enums from "@cyclonedx/cyclonedx-library/Enums";
import * as Models from "@cyclonedx/cyclonedx-library/Models";
import * as Serialize from "@cyclonedx/cyclonedx-library/Serialize";
import * as Spec from "@cyclonedx/cyclonedx-library/Spec";
import { Catalogue } from "./catalogue.ts";
import type { LockedPackage } from "../deno_lock.ts";
import type { Inventory } from "../inventory.ts";
import type { Requirement } from "../requirements.ts";

type Component = Models.Component;

function addDependencies(component: Component, others: readonly Component[]): void {
  for (const other of others) component.dependencies.add(other.bomRef);
}

/** Creates a component for each locked package, with its dependencies. */
function createComponents(
  locked: ReadonlyMap<string, LockedPackage>,
  make: (each: LockedPackage) => Component,
): Map<string, Component> {
  const components = new Map([...locked].map(([id, each]) => [id, make(each)]));
  for (const [id, { dependencies }] of locked) {
    addDependencies(components.get(id)!, dependencies.map((other) => components.get(other)!));
  }
  return components;
}

/** Adds locked Python packages with their dependencies; returns the direct ones. */
function addRequirements(catalogue: Catalogue, requirements: readonly Requirement[]): Component[] {
  const components = requirements.map((requirement) => catalogue.addPython(requirement));
  for (const [index, { via }] of requirements.entries()) {
    for (const [parent, { name }] of requirements.entries()) {
      if (via.includes(name)) addDependencies(components[parent]!, [components[index]!]);
    }
  }
  return components.filter((_, index) => requirements[index]!.direct);
}

/** Parts of the project by CycloneDX scope. */
interface Parts {
  required: Component[];
  optional: Component[];
  excluded: Component[];
}

function addParts(catalogue: Catalogue, inventory: Inventory): Parts {
  const { version, lock, program, python, images } = inventory;
  const npm = createComponents(lock.npm, (each) => catalogue.addNpm(each));
  const jsr = createComponents(lock.jsr, (each) => catalogue.addJsr(each));
  const std = inventory.std.map((each) => ({
    name: each.name,
    component: jsr.get(each.id) ?? catalogue.addJsr(each),
  }));
  const stdOf = (isWanted: (name: string) => boolean) =>
    std.filter(({ name }) => isWanted(name)).map(({ component }) => component);
  const image = (reference: string) => catalogue.addImage(reference);

  const executable = catalogue.addPart("executable", version, "dist/salesflow: the command line");
  addDependencies(executable, program.npm.map((id) => npm.get(id)!));
  addDependencies(executable, stdOf((name) => program.std.includes(name)));
  addDependencies(executable, [catalogue.addDeno(inventory.deno)]);

  const engines = catalogue.addPart(
    "embedded-databases",
    version,
    "Database engines that the executable downloads when no servers are configured: one of each kind, by platform",
  );
  addDependencies(engines, inventory.engines.map((each) => catalogue.addNpm(each)));

  const salesflow = catalogue.addPart("image-salesflow", version, "k8s/salesflow/Dockerfile", true);
  addDependencies(salesflow, [executable, ...images.salesflow.map(image)]);

  const job = catalogue.addPart(
    "spark-job",
    version,
    "k8s/spark: the PySpark job. It is tested with these packages; in the image it uses those of Spark's image",
  );
  addDependencies(job, addRequirements(catalogue, python.spark));
  const spark = catalogue.addPart("image-salesflow-spark", version, "k8s/spark/Dockerfile", true);
  addDependencies(spark, [
    job,
    ...images.spark.map(image),
    ...inventory.jars.map((jar) => catalogue.addJar(jar)),
  ]);

  const airflow = catalogue.addPart("image-salesflow-airflow", version, "k8s/airflow/Dockerfile", true);
  addDependencies(airflow, images.airflow.map(image));
  const one = catalogue.addPart("image-salesflow-one", version, "k8s/airflow/Dockerfile, target one", true);
  addDependencies(one, [salesflow, spark, airflow]);

  const services = catalogue.addPart(
    "services",
    version,
    "Servers that compose.yaml and the chart start by default",
  );
  addDependencies(services, images.services.map(image));

  const development = catalogue.addPart(
    "development",
    version,
    "Tests, benchmarks and tasks; not part of any other component",
  );
  addDependencies(development, inventory.development.map(({ id }) => npm.get(id)!));
  addDependencies(development, stdOf((name) => !program.std.includes(name)));
  for (const requirements of python.development) {
    addDependencies(development, addRequirements(catalogue, requirements));
  }

  return {
    required: [executable, salesflow, job, spark, airflow, one],
    optional: [engines, services],
    excluded: [development],
  };
}

/** Sets the scope of each component to the strictest scope of the parts that depend on it. */
function setScopes(components: readonly Component[], parts: Parts): void {
  const byRef = new Map(components.map((component) => [component.bomRef.value, component]));
  const scopes = [
    [Enums.ComponentScope.Required, parts.required],
    [Enums.ComponentScope.Optional, parts.optional],
    [Enums.ComponentScope.Excluded, parts.excluded],
  ] as const;
  for (const [scope, roots] of scopes) {
    const pending = [...roots];
    for (let component = pending.pop(); component; component = pending.pop()) {
      if (component.scope) continue;
      component.scope = scope;
      pending.push(...[...component.dependencies].map(({ value }) => byRef.get(value)!));
    }
  }
}

function serialize(bom: Models.Bom): string {
  const normalizers = new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6);
  return `${new Serialize.JsonSerializer(normalizers).serialize(bom, { sortLists: true, space: 2 })}\n`;
}

/** Returns a UUID derived from the SHA-256 of a text (RFC 9562, version 8), so that equal content has an equal UUID. */
function hashToUuid(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  const variant = (0x8 | (parseInt(hex[16]!, 16) & 0x3)).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join("-");
}

/**
 * Returns the SBOM as CycloneDX 1.6 JSON. It is reproducible: it has no timestamp, and its serial number is derived from
 * the content.
 */
export function buildBom(inventory: Inventory): string {
  const { name, version, licence, lock } = inventory;
  const catalogue = new Catalogue();
  const parts = addParts(catalogue, inventory);
  const components = catalogue.all;
  setScopes(components, parts);

  const root = new Models.Component(Enums.ComponentType.Application, name, { version, bomRef: name });
  root.licenses.add(new Models.SpdxLicense(licence));
  addDependencies(root, [...parts.required, ...parts.optional, ...parts.excluded]);
  const tool = [...lock.npm.values()].find(({ name }) => name === "@cyclonedx/cyclonedx-library")!;
  const toolComponent = new Models.Component(Enums.ComponentType.Application, tool.name, {
    version: tool.version,
  });
  const tools = new Models.Tools({ components: new Models.ComponentRepository([toolComponent]) });
  const bom = new Models.Bom({
    metadata: new Models.Metadata({ component: root, tools }),
    components: new Models.ComponentRepository(components),
  });
  bom.serialNumber = `urn:uuid:${hashToUuid(serialize(bom))}`;
  return serialize(bom);
}
