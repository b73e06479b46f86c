/** The bill of materials: which parts this project makes, and what each of them consists of. */
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

function dependOn(component: Component, others: readonly Component[]): void {
  for (const other of others) component.dependencies.add(other.bomRef);
}

/** Packages of a lock, with their dependencies. */
function linked(
  locked: ReadonlyMap<string, LockedPackage>,
  make: (each: LockedPackage) => Component,
): Map<string, Component> {
  const components = new Map([...locked].map(([id, each]) => [id, make(each)]));
  for (const [id, { dependencies }] of locked) {
    dependOn(components.get(id)!, dependencies.map((other) => components.get(other)!));
  }
  return components;
}

/** Adds a lock's packages, each depending on those that ask for it, and returns those asked for by name. */
function addPython(catalogue: Catalogue, requirements: readonly Requirement[]): Component[] {
  const components = requirements.map((requirement) => catalogue.python(requirement));
  for (const [index, { via }] of requirements.entries()) {
    for (const [parent, { name }] of requirements.entries()) {
      if (via.includes(name)) dependOn(components[parent]!, [components[index]!]);
    }
  }
  return components.filter((_, index) => requirements[index]!.direct);
}

/** Parts by how much a working system needs them, as CycloneDX calls it. */
interface Parts {
  required: Component[];
  optional: Component[];
  excluded: Component[];
}

function addParts(catalogue: Catalogue, inventory: Inventory): Parts {
  const { version, lock, program, python, images } = inventory;
  const npm = linked(lock.npm, (each) => catalogue.npm(each));
  const jsr = linked(lock.jsr, (each) => catalogue.jsr(each));
  const std = inventory.std.map((each) => ({
    name: each.name,
    component: jsr.get(each.id) ?? catalogue.jsr(each),
  }));
  const stdOf = (isWanted: (name: string) => boolean) =>
    std.filter(({ name }) => isWanted(name)).map(({ component }) => component);
  const image = (reference: string) => catalogue.image(reference);

  const executable = catalogue.part("executable", version, "dist/salesflow: the command line");
  dependOn(executable, program.npm.map((id) => npm.get(id)!));
  dependOn(executable, stdOf((name) => program.std.includes(name)));
  dependOn(executable, [catalogue.deno(inventory.deno)]);

  const engines = catalogue.part(
    "embedded-databases",
    version,
    "Database engines that the executable fetches when no servers are named: one of each kind, by platform",
  );
  dependOn(engines, inventory.engines.map((each) => catalogue.npm(each)));

  const salesflow = catalogue.part("image-salesflow", version, "k8s/salesflow/Dockerfile", true);
  dependOn(salesflow, [executable, ...images.salesflow.map(image)]);

  const job = catalogue.part(
    "spark-job",
    version,
    "k8s/spark: the PySpark job. It is tested with these packages; in the image it finds those of Spark's own image",
  );
  dependOn(job, addPython(catalogue, python.spark));
  const spark = catalogue.part("image-salesflow-spark", version, "k8s/spark/Dockerfile", true);
  dependOn(spark, [job, ...images.spark.map(image), ...inventory.jars.map((jar) => catalogue.jar(jar))]);

  const airflow = catalogue.part("image-salesflow-airflow", version, "k8s/airflow/Dockerfile", true);
  dependOn(airflow, [...images.airflow.map(image), ...addPython(catalogue, python.airflow)]);
  const one = catalogue.part("image-salesflow-one", version, "k8s/airflow/Dockerfile, target one", true);
  dependOn(one, [salesflow, spark, airflow]);

  const services = catalogue.part(
    "services",
    version,
    "Servers that compose.yaml and the chart start unless there are others",
  );
  dependOn(services, images.services.map(image));

  const development = catalogue.part(
    "development",
    version,
    "Tests, benchmarks and tasks; part of nothing else",
  );
  dependOn(development, inventory.development.map(({ id }) => npm.get(id)!));
  dependOn(development, stdOf((name) => !program.std.includes(name)));
  for (const requirements of python.development) dependOn(development, addPython(catalogue, requirements));

  return {
    required: [executable, salesflow, job, spark, airflow, one],
    optional: [engines, services],
    excluded: [development],
  };
}

/** Gives every component the scope of the most demanding part that reaches it. */
function setScopes(components: readonly Component[], parts: Parts): void {
  const byRef = new Map(components.map((component) => [component.bomRef.value, component]));
  const scopes = [
    [Enums.ComponentScope.Required, parts.required],
    [Enums.ComponentScope.Optional, parts.optional],
    [Enums.ComponentScope.Excluded, parts.excluded],
  ] as const;
  for (const [scope, roots] of scopes) {
    const ahead = [...roots];
    for (let component = ahead.pop(); component; component = ahead.pop()) {
      if (component.scope) continue;
      component.scope = scope;
      ahead.push(...[...component.dependencies].map(({ value }) => byRef.get(value)!));
    }
  }
}

function serialize(bom: Models.Bom): string {
  const normalizers = new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6);
  return `${new Serialize.JsonSerializer(normalizers).serialize(bom, { sortLists: true, space: 2 })}\n`;
}

/** A UUID made of a text's SHA-256 (version 8 of RFC 9562), so that the same content has the same number. */
function uuidOf(text: string): string {
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
 * The bill of materials as CycloneDX 1.6 JSON. The same inventory gives the same bytes: there is no time in it, and
 * its serial number comes from the rest.
 */
export function billOfMaterials(inventory: Inventory): string {
  const { name, version, licence, lock } = inventory;
  const catalogue = new Catalogue();
  const parts = addParts(catalogue, inventory);
  const components = catalogue.all;
  setScopes(components, parts);

  const root = new Models.Component(Enums.ComponentType.Application, name, { version, bomRef: name });
  root.licenses.add(new Models.SpdxLicense(licence));
  dependOn(root, [...parts.required, ...parts.optional, ...parts.excluded]);
  const tool = [...lock.npm.values()].find(({ name }) => name === "@cyclonedx/cyclonedx-library")!;
  const maker = new Models.Component(Enums.ComponentType.Application, tool.name, { version: tool.version });
  const tools = new Models.Tools({ components: new Models.ComponentRepository([maker]) });
  const bom = new Models.Bom({
    metadata: new Models.Metadata({ component: root, tools }),
    components: new Models.ComponentRepository(components),
  });
  bom.serialNumber = `urn:uuid:${uuidOf(serialize(bom))}`;
  return serialize(bom);
}
