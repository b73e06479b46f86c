import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { CHART, type KubernetesObject, render } from "./chart.ts";
import { type Row, VALUES } from "./value_table.ts";

interface Schema {
  properties?: Record<string, Schema>;
}

/** Paths of all values; what is shared by several of them, as `resources` is, counts as one. */
function pathsOf({ properties }: Schema, path: string): string[] {
  if (!properties) return [path];
  return Object.entries(properties).flatMap(([key, inner]) => pathsOf(inner, path ? `${path}.${key}` : key));
}

const rendered = new Map<string, Promise<KubernetesObject[]>>();

/** Renders once for each list of values. */
function renderOnce(set: readonly string[]): Promise<KubernetesObject[]> {
  const key = set.join();
  const objects = rendered.get(key) ?? render({ set });
  rendered.set(key, objects);
  return objects;
}

function setting({ path, set }: Row): string {
  return /^[.[]/.test(set) ? path + set : `${path}=${set}`;
}

describe("every value", () => {
  it("of the schema is in the table, once", async () => {
    const schema: Schema = JSON.parse(await Deno.readTextFile(`${CHART}/values.schema.json`));
    const known = pathsOf(schema, "").filter((path) => path !== "global");
    assertEquals(VALUES.map(({ path }) => path).sort(), known.sort());
  });

  for (const row of VALUES) {
    const { path, read, wanted, unset, along = [], needs = [] } = row;
    it(`${path} does what it says when it is set, and nothing when it is not`, async () => {
      assertEquals(read(await renderOnce(along)), unset, "unset");
      assertEquals(read(await renderOnce([...along, ...needs, setting(row)])), wanted, setting(row));
    });
  }
});
