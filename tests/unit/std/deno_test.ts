import { assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

/** Runs lib/std/deno.ts with the stand-ins. */
async function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-config", "--no-lock", "lib/std/deno.ts", ...args],
    cwd: new URL("../../../", import.meta.url),
    env: { SALESFLOW_STD: "local", NO_COLOR: "1" },
    stdin: "null",
  }).output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

describe("lib/std/deno.ts", () => {
  it("runs a subcommand that can import @std packages", async () => {
    const code = 'import { parseArgs } from "@std/cli/parse-args"; console.log(parseArgs(["a"])._[0]);';
    assertEquals(await run("eval", code), { code: 0, stdout: "a\n", stderr: "" });
  });

  it("exits with 2 when the subcommand is missing", async () => {
    const { code, stderr } = await run();
    assertEquals(code, 2);
    assertMatch(stderr, /^usage: /);
  });
});
