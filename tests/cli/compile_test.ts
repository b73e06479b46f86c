import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";

const ROOT = new URL("../..", import.meta.url);

let folder: string;
beforeAll(async () => {
  folder = await Deno.makeTempDir({ prefix: "salesflow-compile-" });
});
afterAll(() => Deno.remove(folder, { recursive: true }));

/** Runs `deno task compile` with the given denort. */
async function compile(runtime: string): Promise<{ code: number; stderr: string }> {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-config", "--no-lock", "cli/compile.ts", "--output", `${folder}/salesflow`],
    cwd: ROOT,
    env: { DENORT_BIN: runtime, NO_COLOR: "1" },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  return { code, stderr: new TextDecoder().decode(stderr) };
}

describe("deno task compile", () => {
  it("builds an executable from the runtime in DENORT_BIN", async () => {
    // The deno executable in place of denort: packing works, but the result would not run the program.
    const { code, stderr } = await compile(Deno.execPath());
    assertEquals(code, 0, stderr);
    const [executable, runtime] = [await Deno.stat(`${folder}/salesflow`), await Deno.stat(Deno.execPath())];
    assert(executable.size > runtime.size);
    assert(((executable.mode ?? 0) & 0o111) !== 0);
  });

  it("exits with 2 and names the variable when the file does not exist", async () => {
    const { code, stderr } = await compile(`${folder}/none`);
    assertEquals(code, 2, stderr);
    assertStringIncludes(stderr, `Cannot use DENORT_BIN=${folder}/none: there is no such file`);
  });
});
