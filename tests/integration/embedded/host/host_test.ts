import { assertEquals } from "@std/assert";
import { afterAll, afterEach, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { lockFile } from "../../../../lib/embedded/files/file_lock.ts";
import { homeFiles } from "../../../../lib/embedded/host/home_files.ts";
import { hostCommand } from "../../../../lib/embedded/host/host_process.ts";
import {
  assertRowsKept,
  createHome,
  createTemplate,
  killHosts,
  queryPostgres,
  startWithRows,
  waitUntil,
  waitUntilStopped,
} from "../harness.ts";

describe("runEmbeddedHost()", () => {
  let template: string;
  let home: string;

  beforeAll(async () => {
    template = await createTemplate();
  });

  afterAll(() => Deno.remove(template, { recursive: true }));

  beforeEach(async () => {
    home = await createHome(template);
  });

  afterEach(async () => {
    await waitUntilStopped(home);
    await Deno.remove(home, { recursive: true });
  });

  it("keeps every committed row when it is killed", async () => {
    const before = await startWithRows(home);
    await killHosts(home);
    await before.close();
    await assertRowsKept(home);
  });

  it("restarts PostgreSQL at the same address when it is killed under a running command", async () => {
    const databases = await startWithRows(home);
    const pidFile = join(home, "postgres", "data", "postmaster.pid");
    Deno.kill(parseInt(await Deno.readTextFile(pidFile)), "SIGKILL");
    await waitUntil("PostgreSQL answers", async () => {
      const rows = await queryPostgres(databases.postgresUrl, "SELECT a FROM kept").catch(() => []);
      return rows.length === 1;
    });
    await databases.close();
    await assertRowsKept(home);
  });

  it("reports an error with exit code 75 when another host is running", async () => {
    const { hostLock } = homeFiles(home, "postgres");
    using _lock = await lockFile(hostLock);
    const [command = "", ...args] = hostCommand({ home, engine: "postgres", path: "/not/used" });
    const { code, stdout } = await new Deno.Command(command, { args, stderr: "null" }).output();
    const { ready, exitCode, message } = JSON.parse(new TextDecoder().decode(stdout));
    assertEquals({ code, ready, exitCode, message }, {
      code: 1,
      ready: false,
      exitCode: 75,
      message: `Another process already runs postgres in ${home}`,
    });
  });
});
