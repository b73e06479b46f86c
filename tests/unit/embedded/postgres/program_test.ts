import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { SalesflowError } from "../../../../lib/console/errors.ts";
import { programCommand, runProgram } from "../../../../lib/embedded/postgres/program.ts";
import type { ServerUser } from "../../../../lib/embedded/postgres/server_user.ts";

let user: ServerUser;

async function createUser(): Promise<void> {
  const folder = await Deno.makeTempDir();
  user = { prefix: [], identity: {}, programs: folder, folder };
  await Deno.mkdir(join(folder, "bin"));
}

const removeFolder = () => Deno.remove(user.folder, { recursive: true });

/** Installs a shell script as PostgreSQL's program `initdb`. */
function installScript(script: string): Promise<void> {
  return Deno.writeTextFile(join(user.programs, "bin", "initdb"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

describe("programCommand()", () => {
  beforeEach(createUser);
  afterEach(removeFolder);

  it("runs the program in the data folder, with an environment of its own", async () => {
    await installScript('pwd; echo "$LC_ALL $TZ ${HOME-no home} $ADDED $*"');
    const stdio = { stdin: "null", stdout: "piped", stderr: "null" } as const;
    const command = programCommand(user, "initdb", ["-D", "x"], stdio, ["/usr/bin/env", "ADDED=1"]);
    const { stdout } = await command.output();
    const folder = await Deno.realPath(user.folder);
    assertEquals(new TextDecoder().decode(stdout), `${folder}\nC UTC no home 1 -D x\n`);
  });
});

describe("runProgram()", () => {
  beforeEach(createUser);
  afterEach(removeFolder);

  const run = (input?: string) => runProgram(user, "initdb", [], input);

  it("passes the input to the program", async () => {
    await installScript("cat > input");
    await run("CREATE DATABASE a;\n");
    assertEquals(await Deno.readTextFile(join(user.folder, "input")), "CREATE DATABASE a;\n");
  });

  it("throws SalesflowError with the output when the program fails", async () => {
    await installScript("echo out; echo reason >&2; exit 3");
    const error = await assertRejects(() => run("not read"), SalesflowError);
    assertEquals([error.message, error.exitCode], ["PostgreSQL's initdb failed: reason\nout", 1]);
  });

  it("throws SalesflowError when a statement failed although the exit code is 0", async () => {
    await installScript('echo "2026-11-24 10:00:00.000 UTC [7] ERROR:  no such role" >&2');
    await assertRejects(run, SalesflowError, "no such role");
  });

  it("shows only the end of a long output", async () => {
    await installScript("yes 0123456789 | head -n 1000; echo last; exit 1");
    const { message } = await assertRejects(run, SalesflowError);
    assertEquals(message.length, "PostgreSQL's initdb failed: ".length + 2_000);
    assertStringIncludes(message, "\nlast");
  });

  for (
    const [what, script] of [
      ["the program", "kill -9 $$"],
      ["the server that it runs", 'echo "child process was terminated by signal 9: Killed"; exit 1'],
    ] as const
  ) {
    it(`throws SalesflowError with exit code 75 when ${what} was killed`, async () => {
      await installScript(script);
      const error = await assertRejects(run, SalesflowError, "was killed");
      assertEquals(error.exitCode, 75);
    });
  }
});
