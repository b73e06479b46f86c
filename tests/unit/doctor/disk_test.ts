import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { checkDisks } from "../../../lib/doctor/disk.ts";

describe("checkDisks()", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await Deno.makeTempDir({ prefix: "salesflow-disk-" });
  });
  afterAll(() => Deno.remove(folder, { recursive: true }));

  it("measures the nearest existing folder, and each folder once", async () => {
    const folders = new Map([
      ["store", `${folder}/not/created/yet`],
      ["embedded databases", folder],
      ["database engines", "/"],
    ]);
    const findings = await checkDisks(folders, (path) => Promise.resolve(path === "/" ? 5e9 : 1.5e9));
    assertEquals(findings.map(({ state, message }) => [state, message]), [
      ["warning", `1.5 GB free in ${folder} (store, embedded databases)`],
      ["ok", "5.0 GB free in / (database engines)"],
    ]);
    assertStringIncludes(findings[0]!.remedy!, "keep 2 GB free");
  });

  it("measures with statfs() when no function is given", async () => {
    const [finding] = await checkDisks(new Map([["store", `${folder}/none`]]));
    assertMatch(finding!.message, /^[\d.]+ GB free in \//);
  });
});
