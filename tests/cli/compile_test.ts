import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";

const ROOT = new URL("../..", import.meta.url);

let folder: string;
beforeAll(async () => {
  folder = await Deno.makeTempDir({ prefix: "salesflow-compile-" });
});
afterAll(() => Deno.remove(folder, { recursive: true }));

/** `deno task compile` with a runtime file of this machine. */
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
  it("makes an executable of the runtime file that DENORT_BIN names", async () => {
    // Deno itself does for a look at what is packed; only Deno's own runtime file starts the program that is.
    const { code, stderr } = await compile(Deno.execPath());
    assertEquals(code, 0, stderr);
    const [made, runtime] = [await Deno.stat(`${folder}/salesflow`), await Deno.stat(Deno.execPath())];
    assert(made.size > runtime.size);
    assert(((made.mode ?? 0) & 0o111) !== 0);
  });

  it("ends with 2 and names the variable when there is no such file", async () => {
    const { code, stderr } = await compile(`${folder}/none`);
    assertEquals(code, 2, stderr);
    assertStringIncludes(stderr, `Cannot use DENORT_BIN=${folder}/none: there is no such file`);
  });
});
