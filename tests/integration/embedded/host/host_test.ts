import { assert, assertEquals } from "@std/assert";
import { afterAll, afterEach, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { startEmbedded } from "../../../../lib/embedded/embedded.ts";
import { ENGINES } from "../../../../lib/embedded/engines/packages.ts";
import { lockFile } from "../../../../lib/embedded/files/limited_wait.ts";
import { homeFiles } from "../../../../lib/embedded/host/home_files.ts";
import { hostCommand } from "../../../../lib/embedded/host/host_process.ts";
import {
  assertRowsKept,
  createHome,
  createTemplate,
  findHostPid,
  killHosts,
  queryClickHouse,
  queryPostgres,
  startWithRows,
  waitUntil,
  waitUntilStopped,
} from "../harness.ts";

/** Reports whether a process runs. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}

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

  it("stops when its home was removed, and leaves alone what runs in a home made again", async () => {
    const before = await startEmbedded(home);
    const pids = await Promise.all(ENGINES.map((engine) => findHostPid(home, engine)));
    await rm(home, { recursive: true, maxRetries: 5 });
    await new Deno.Command("cp", { args: ["-a", template, home] }).output();
    const after = await startEmbedded(home);
    assert(after.owned);
    await waitUntil("the hosts of the removed home stop", () => !pids.some(isRunning));
    await before.close();
    const another = await startEmbedded(home);
    assertEquals([another.owned, another.postgresUrl], [false, after.postgresUrl]);
    assertEquals(await queryPostgres(after.postgresUrl, "SELECT 1 AS a"), [{ a: 1 }]);
    assertEquals(await queryClickHouse(after.clickhouseUrl, "SELECT 1 AS a"), [{ a: 1 }]);
    await Promise.all([after.close(), another.close()]);
  });

  it("stops when its state was removed, so that the next command gets another host", async () => {
    const before = await startEmbedded(home, { engines: ["postgres"] });
    await Deno.remove(homeFiles(home, "postgres").state);
    const after = await startEmbedded(home, { engines: ["postgres"] });
    assert(after.owned);
    assertEquals(await queryPostgres(after.postgresUrl, "SELECT 1 AS a"), [{ a: 1 }]);
    await Promise.all([before.close(), after.close()]);
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
