import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

const MODULE = new URL("../../../lib/std/run_deno.ts", import.meta.url).href;

/** Starts `runDeno("eval", [code])` as a process. */
function start(code: string): Deno.ChildProcess {
  const script = `import { runDeno } from ${JSON.stringify(MODULE)};
await runDeno("eval", [${JSON.stringify(code)}]);`;
  return new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-config", "--no-lock", script],
    env: { SALESFLOW_STD: "local" },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

describe("runDeno()", () => {
  it("exits with the exit code of the subprocess", async () => {
    const { code, stdout } = await start('console.log("out"); Deno.exit(7);').output();
    assertEquals([code, new TextDecoder().decode(stdout)], [7, "out\n"]);
  });

  it("forwards signals to the subprocess", async () => {
    const child = start(
      `Deno.addSignalListener("SIGTERM", () => Deno.exit(9)); setInterval(() => {}, 1_000); console.log("ready");`,
    );
    const reader = child.stdout.getReader();
    await reader.read();
    child.kill("SIGTERM");
    assertEquals((await child.status).code, 9);
    await reader.cancel();
  });
});
