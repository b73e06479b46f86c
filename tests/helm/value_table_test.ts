import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { CHART, type KubernetesObject, render } from "./chart.ts";
import { type Row, VALUES } from "./value_table.ts";

interface Schema {
  properties?: Record<string, Schema>;
}

/** Returns the paths of all values in a schema; a shared definition such as `resources` counts as one value. */
function listPaths({ properties }: Schema, path: string): string[] {
  if (!properties) return [path];
  return Object.entries(properties).flatMap(([key, inner]) =>
    listPaths(inner, path ? `${path}.${key}` : key)
  );
}

const rendered = new Map<string, Promise<KubernetesObject[]>>();

/** Renders each list of values only once. */
function renderOnce(set: readonly string[]): Promise<KubernetesObject[]> {
  const key = set.join();
  const objects = rendered.get(key) ?? render({ set });
  rendered.set(key, objects);
  return objects;
}

/** Returns the argument of `helm --set`. */
function toSetArgument({ path, set }: Row): string {
  return /^[.[]/.test(set) ? path + set : `${path}=${set}`;
}

describe("every value", () => {
  it("of the schema has one test case", async () => {
    const schema: Schema = JSON.parse(await Deno.readTextFile(`${CHART}/values.schema.json`));
    const known = listPaths(schema, "").filter((path) => path !== "global");
    assertEquals(VALUES.map(({ path }) => path).sort(), known.sort());
  });

  for (const row of VALUES) {
    const { path, read, expected, unset, context = [], requires = [] } = row;
    it(`${path} has its effect only when it is set`, async () => {
      assertEquals(read(await renderOnce(context)), unset, "unset");
      assertEquals(
        read(await renderOnce([...context, ...requires, toSetArgument(row)])),
        expected,
        toSetArgument(row),
      );
    });
  }
});
