import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

const ROOT = new URL("../../../", import.meta.url);
const FOLDERS = ["", "docs/", "dags/", "helm/salesflow/", "k8s/spark/", "tests/conformance/", "tests/e2e/"];

/** Paths of the repository in a text, such as `lib/clean/rules.ts`; patterns with `*` are left out. */
function pathsIn(text: string): string[] {
  const paths = text.matchAll(/(?<![\w/.@:-])(?:cli|dags|docs|helm|k8s|lib|tests)\/[\w./*{}-]*[\w*}]/g);
  return [...paths].map(([path]) => path).filter((path) => !/[*{}]/.test(path));
}

describe("documents", () => {
  it("name only files and folders that exist", async () => {
    const missing: string[] = [];
    let found = 0;
    for (const folder of FOLDERS) {
      for await (const { name } of Deno.readDir(new URL(folder, ROOT))) {
        if (!name.endsWith(".md")) continue;
        for (const path of pathsIn(await Deno.readTextFile(new URL(folder + name, ROOT)))) {
          found++;
          const exists = await Deno.stat(new URL(path, ROOT)).then(() => true, () => false);
          if (!exists) missing.push(`${folder}${name}: ${path}`);
        }
      }
    }
    assert(found > 50, `${found} paths`);
    assertEquals(missing, []);
  });
});
