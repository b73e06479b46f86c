import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { run, useHome, waitForFile } from "./command.ts";

const ROOT = new URL("../..", import.meta.url);
const AS_OF = "2026-11-24";
const home = useHome();

/** Starts `deno task salesflow generate` in its own process group. */
function generate(id: string) {
  const wrapper = ["run", "-A", "--no-config", "--no-lock", "cli/from_source.ts"];
  const command = ["generate", "--rows", "30000000"];
  const child = new Deno.Command(Deno.execPath(), {
    args: [...wrapper, ...home.args(...command, "--as-of", AS_OF, "--run-id", id)],
    cwd: ROOT,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    detached: true,
  }).spawn();
  const text = (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => new Response(stream).text();
  // The streams end when all processes that write to them have exited, not only the wrapper.
  const ended = Promise.all([child.status, text(child.stdout), text(child.stderr)])
    .then(([{ code }, stdout, stderr]) => ({ code, stdout, stderr }));
  return { child, ended };
}

describe("cli/from_source.ts", () => {
  it("tells the command how a person starts it: through npx, where that started it", async () => {
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-config", "--no-lock", "cli/from_source.ts", "--help"],
      cwd: ROOT,
      env: { npm_lifecycle_event: "npx" },
    }).output();
    const usage = `Usage: npx -y deno@${Deno.version.deno} task salesflow COMMAND`;
    assertStringIncludes(new TextDecoder().decode(stdout), usage);
  });

  const cases: [who: string, signal: Deno.Signal, group: boolean, code: number, message: string][] = [
    ["only the wrapper receives", "SIGINT", false, 75, "Stopped by SIGINT"],
    ["only the wrapper receives", "SIGTERM", false, 75, "Stopped by SIGTERM"],
    ["only the wrapper receives", "SIGHUP", false, 128 + 1, ""],
    // If the command counted the two signals separately, it would exit at once without a message.
    ["both receive, as from a terminal,", "SIGINT", true, 75, "Stopped by SIGINT"],
    ["both receive, as from timeout(1),", "SIGTERM", true, 75, "Stopped by SIGTERM"],
  ];
  for (const [who, signal, group, expected, message] of cases) {
    it(`stops the command and exits with its code when ${who} ${signal}`, async () => {
      const id = `${signal.toLowerCase()}-${group}`;
      const running = generate(id);
      await waitForFile(`${home.path}/runs/${id}/raw/part-00000.csv`, running);
      Deno.kill(group ? -running.child.pid : running.child.pid, signal);
      const { code, stderr } = await running.ended;
      assertEquals(code, expected, stderr);
      assertStringIncludes(stderr, message);
      // The command has released its lock on the run.
      const next = await run(home.args("clean", "--run-id", id, "--as-of", AS_OF));
      assertEquals(next.code, 1, next.stderr);
      assertStringIncludes(next.stderr, `There is no raw data of run ${id}`);
    });
  }
});
