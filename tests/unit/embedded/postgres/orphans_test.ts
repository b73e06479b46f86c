import { assertEquals, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { stopOrphans } from "../../../../lib/embedded/postgres/orphans.ts";

describe("stopOrphans()", () => {
  let folder: string;
  let data: string;
  let pidFile: string;
  beforeEach(async () => {
    folder = await Deno.makeTempDir();
    data = join(folder, "data");
    pidFile = join(data, "postmaster.pid");
    await Deno.mkdir(data);
  });
  afterEach(() => Deno.remove(folder, { recursive: true }));

  /** Starts a process that looks like a server: its name is `postgres`, and it works in the data folder. */
  async function startServer(): Promise<Deno.ChildProcess> {
    const program = join(folder, "postgres");
    await Deno.writeTextFile(program, "#!/bin/sh\necho ready\nread line\n", { mode: 0o755 });
    const command = new Deno.Command(program, {
      args: ["-D", data, "-c", "port=1"],
      cwd: data,
      stdin: "piped",
      stdout: "piped",
    });
    const child = command.spawn();
    const reader = child.stdout.getReader();
    await reader.read();
    await reader.cancel();
    return child;
  }

  it("interrupts the server in the folder and returns its process id", async () => {
    const server = await startServer();
    const found = await stopOrphans(data);
    assertEquals(found, [server.pid]);
    assertEquals((await server.status).signal, "SIGINT");
    await server.stdin.close().catch(() => {});
  });

  it("leaves the server in another folder alone", async () => {
    const server = await startServer();
    const other = join(folder, "other");
    await Deno.mkdir(other);
    assertEquals(await stopOrphans(other), []);
    await server.stdin.close();
    assertEquals((await server.status).signal, null);
  });

  it("removes a pid file that names a process of another program", async () => {
    await Deno.writeTextFile(pidFile, `${Deno.pid}\n${data}\n`);
    assertEquals(await stopOrphans(data), []);
    await assertRejects(() => Deno.stat(pidFile), Deno.errors.NotFound);
  });

  it("keeps a pid file whose process is gone, and a folder without one", async () => {
    const gone = new Deno.Command("true").spawn();
    await gone.status;
    await Deno.writeTextFile(pidFile, `${gone.pid}\n${data}\n`);
    await stopOrphans(data);
    assertEquals((await Deno.stat(pidFile)).isFile, true);
    await Deno.remove(pidFile);
    assertEquals(await stopOrphans(data), []);
  });
});
