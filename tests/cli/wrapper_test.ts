import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { run, whenThere } from "./command.ts";

const ROOT = new URL("../..", import.meta.url);
const AS_OF = "2026-11-24";

let home: string;
beforeAll(async () => {
  home = await Deno.makeTempDir({ prefix: "salesflow-wrapper-" });
});
afterAll(() => Deno.remove(home, { recursive: true }));

/** Starts `lib/std/deno.ts run … generate`, as `deno task salesflow` does, in a process group of its own. */
function generate(id: string) {
  const wrapper = ["run", "-A", "--no-config", "--no-lock", "lib/std/deno.ts"];
  const command = ["run", "-A", "cli/main.ts", "generate", "--rows", "30000000"];
  const child = new Deno.Command(Deno.execPath(), {
    args: [...wrapper, ...command, "--as-of", AS_OF, "--run-id", id, "--home", home],
    cwd: ROOT,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    detached: true,
  }).spawn();
  const text = (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => new Response(stream).text();
  // The streams end when the last process that writes to them has ended, not the wrapper alone.
  const ended = Promise.all([child.status, text(child.stdout), text(child.stderr)])
    .then(([{ code }, stdout, stderr]) => ({ code, stdout, stderr }));
  return { child, ended };
}

describe("lib/std/deno.ts", () => {
  const cases: [what: string, signal: Deno.Signal, group: boolean, code: number, says: string][] = [
    ["the wrapper alone gets", "SIGINT", false, 75, "Stopped by SIGINT"],
    ["the wrapper alone gets", "SIGTERM", false, 75, "Stopped by SIGTERM"],
    ["the wrapper alone gets", "SIGHUP", false, 128 + 1, ""],
    // A command that took these for two would end at once, without a word.
    ["both get, as from a terminal,", "SIGINT", true, 75, "Stopped by SIGINT"],
    ["both get, as from timeout(1),", "SIGTERM", true, 75, "Stopped by SIGTERM"],
  ];
  for (const [what, signal, group, expected, says] of cases) {
    it(`ends the command, and with its exit code, when ${what} ${signal}`, async () => {
      const id = `${signal.toLowerCase()}-${group}`;
      const running = generate(id);
      await whenThere(`${home}/runs/${id}/raw/part-00000.csv`, running);
      Deno.kill(group ? -running.child.pid : running.child.pid, signal);
      const { code, stderr } = await running.ended;
      assertEquals(code, expected, stderr);
      assertStringIncludes(stderr, says);
      // Nobody works on the run any more.
      const next = await run(["clean", "--run-id", id, "--as-of", AS_OF, "--home", home]);
      assertEquals(next.code, 1, next.stderr);
      assert(next.stderr.includes(`There is no raw data of run ${id}`), next.stderr);
    });
  }
});
