import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { afterAll, afterEach, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { SalesflowError } from "../../../../lib/console/errors.ts";
import { startEmbedded } from "../../../../lib/embedded/embedded.ts";
import { homeFiles } from "../../../../lib/embedded/host/home_files.ts";
import {
  assertRowsKept,
  createHome,
  createTemplate,
  findHostPid,
  findServers,
  killHosts,
  queryPostgres,
  startWithRows,
  waitUntil,
  waitUntilStopped,
} from "../harness.ts";

describe("startPostgres()", () => {
  let template: string;
  let home: string;
  let pidFile: string;

  beforeAll(async () => {
    template = await createTemplate();
  });

  afterAll(() => Deno.remove(template, { recursive: true }));

  beforeEach(async () => {
    home = await createHome(template);
    pidFile = join(home, "postgres", "data", "postmaster.pid");
  });

  afterEach(async () => {
    await waitUntilStopped(home);
    await Deno.remove(home, { recursive: true });
  });

  const start = () => startEmbedded(home, { engines: ["postgres"] });

  it("chooses another port when the old one is taken", async () => {
    const before = await start();
    await before.close();
    const { port, password } = new URL(before.postgresUrl);
    using _taken = Deno.listen({ hostname: "127.0.0.1", port: Number(port) });
    const after = await start();
    assert(new URL(after.postgresUrl).port !== port);
    assertEquals(new URL(after.postgresUrl).password, password);
    assertEquals(await queryPostgres(after.postgresUrl, "SELECT 1 AS a"), [{ a: 1 }]);
    await after.close();
  });

  it("throws SalesflowError with the last lines of the log when the server does not start", async () => {
    await Deno.writeTextFile(join(home, "postgres", "data", "PG_VERSION"), "7\n");
    const error = await assertRejects(start, SalesflowError);
    assertStringIncludes(error.message, "PostgreSQL does not start:\n");
    assertStringIncludes(error.message, "FATAL:  database files are incompatible with server");
    assertEquals([error.exitCode, error.remedy], [1, `See ${homeFiles(home, "postgres").log}.`]);
  });

  // Elsewhere the next start stops the server.
  if (Deno.build.os === "linux") {
    it("leaves no server running when the host is killed", async () => {
      const before = await startWithRows(home);
      await killHosts(home);
      await waitUntil("PostgreSQL stops", async () => (await findServers(home)).length === 0);
      await before.close();
      await assertRowsKept(home);
    });
  }

  it("starts when the host was just killed during a transaction", async () => {
    const before = await startWithRows(home);
    const sleeping = queryPostgres(before.postgresUrl, "SELECT pg_sleep(600)").catch(() => {});
    await waitUntil("the transaction runs", async () => {
      const query = "SELECT count(*)::int AS n FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)'";
      return (await queryPostgres<{ n: number }>(before.postgresUrl, query))[0]?.n === 1;
    });
    await killHosts(home);
    await before.close();
    await assertRowsKept(home);
    await sleeping;
  });

  it("starts when the postmaster was killed and its children are still running", async () => {
    const before = await startWithRows(home);
    const sleeping = queryPostgres(before.postgresUrl, "SELECT pg_sleep(600)").catch(() => {});
    const postmaster = parseInt(await Deno.readTextFile(pidFile));
    Deno.kill(await findHostPid(home, "postgres"), "SIGSTOP"); // so that the host does not restart PostgreSQL
    Deno.kill(postmaster, "SIGKILL");
    await killHosts(home);
    await before.close();
    await assertRowsKept(home);
    await sleeping;
  });

  it("starts when the pid file of a crash names a process of another program", async () => {
    const before = await startWithRows(home);
    const content = await Deno.readTextFile(pidFile);
    await before.close();
    await Deno.writeTextFile(pidFile, content.replace(/^\d+/, String(Deno.pid)), { mode: 0o600 });
    await assertRowsKept(home);
  });
});
