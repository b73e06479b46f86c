import { assert, assertEquals, assertRejects } from "@std/assert";
import { afterAll, afterEach, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { startEmbedded } from "../../../lib/embedded/embedded.ts";
import { homeFiles } from "../../../lib/embedded/host/home_files.ts";
import { ENGINES } from "../../../lib/embedded/engines/packages.ts";
import {
  allGone,
  askClickHouse,
  askPostgres,
  eventually,
  hostPid,
  killHosts,
  makeHome,
  makeTemplate,
  serversUnder,
  startCommand,
  tellClickHouse,
} from "./harness.ts";

describe("startEmbedded() after a mishap", () => {
  let template: string;
  let home: string;

  beforeAll(async () => {
    template = await makeTemplate();
  });

  afterAll(() => Deno.remove(template, { recursive: true }));

  beforeEach(async () => {
    home = await makeHome(template);
  });

  afterEach(async () => {
    await allGone(home);
    await Deno.remove(home, { recursive: true });
  });

  /** Starts the databases with a committed row in each. */
  async function startWithRows() {
    const databases = await startEmbedded(home);
    await askPostgres(databases.postgresUrl, "CREATE TABLE kept AS SELECT 1 AS a");
    const table = "CREATE TABLE kept (a UInt8) ENGINE = MergeTree ORDER BY a";
    await tellClickHouse(databases.clickhouseUrl, table);
    await tellClickHouse(databases.clickhouseUrl, "INSERT INTO kept VALUES (1)");
    return databases;
  }

  /** Starts the databases anew; both must have kept their row and take another one. */
  async function assertRowsKept(): Promise<void> {
    const databases = await startEmbedded(home);
    try {
      assert(databases.owned);
      assertEquals(await askPostgres(databases.postgresUrl, "SELECT a FROM kept"), [{ a: 1 }]);
      assertEquals(await askClickHouse(databases.clickhouseUrl, "SELECT a FROM kept"), [{ a: 1 }]);
      await askPostgres(databases.postgresUrl, "INSERT INTO kept VALUES (2)");
      await tellClickHouse(databases.clickhouseUrl, "INSERT INTO kept VALUES (2)");
    } finally {
      await databases.close();
    }
  }

  it("has every committed row when the host was killed", async () => {
    const before = await startWithRows();
    await killHosts(home);
    await before.close();
    await assertRowsKept();
  });

  it("has no server left when the host was killed and nobody starts it again", async () => {
    const before = await startWithRows();
    await killHosts(home);
    await eventually("PostgreSQL ends", async () => (await serversUnder(home)).length === 0);
    await before.close();
    await assertRowsKept();
  });

  it("stops orphaned servers when the host was killed a moment ago, in the middle of a transaction", async () => {
    const before = await startWithRows();
    const sleeping = askPostgres(before.postgresUrl, "SELECT pg_sleep(600)").catch(() => {});
    await eventually("the transaction runs", async () => {
      const query = "SELECT count(*)::int AS n FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)'";
      return (await askPostgres<{ n: number }>(before.postgresUrl, query))[0]?.n === 1;
    });
    await killHosts(home);
    await before.close();
    await assertRowsKept();
    await sleeping;
  });

  it("starts when PostgreSQL was killed and its children live on", async () => {
    const before = await startWithRows();
    const sleeping = askPostgres(before.postgresUrl, "SELECT pg_sleep(600)").catch(() => {});
    const pidFile = join(home, "postgres", "data", "postmaster.pid");
    const postmaster = parseInt(await Deno.readTextFile(pidFile));
    Deno.kill(await hostPid(home, "postgres"), "SIGSTOP"); // so that nobody mends it before the next start
    Deno.kill(postmaster, "SIGKILL");
    await killHosts(home);
    await before.close();
    await assertRowsKept();
    await sleeping;
  });

  it("has PostgreSQL again, at the same address, when it was killed under a running command", async () => {
    const databases = await startWithRows();
    const pidFile = join(home, "postgres", "data", "postmaster.pid");
    Deno.kill(parseInt(await Deno.readTextFile(pidFile)), "SIGKILL");
    await eventually("PostgreSQL answers", async () => {
      const rows = await askPostgres(databases.postgresUrl, "SELECT a FROM kept").catch(() => []);
      return rows.length === 1;
    });
    await databases.close();
    await assertRowsKept();
  });

  it("starts when the pid file of a crash names a process of another program", async () => {
    const before = await startWithRows();
    const pidFile = join(home, "postgres", "data", "postmaster.pid");
    const content = await Deno.readTextFile(pidFile);
    await before.close();
    await Deno.writeTextFile(pidFile, content.replace(/^\d+/, String(Deno.pid)), { mode: 0o600 });
    await assertRowsKept();
  });

  it("starts when the making of the cluster was interrupted", async () => {
    await Deno.remove(join(home, "postgres"), { recursive: true });
    await Deno.mkdir(join(home, "postgres", "data.new", "base"), { recursive: true });
    await Deno.writeTextFile(join(home, "postgres", "data.new", "PG_VERSION"), "18\n");
    const databases = await startEmbedded(home, { engines: ["postgres"] });
    assertEquals(await askPostgres(databases.postgresUrl, "SELECT 1 AS a"), [{ a: 1 }]);
    await databases.close();
    await assertRejects(() => Deno.stat(join(home, "postgres", "data.new")), Deno.errors.NotFound);
  });

  it("makes new passwords when the old ones are lost", async () => {
    const before = await startWithRows();
    await before.close();
    for (const engine of ENGINES) await Deno.remove(homeFiles(home, engine).access);
    await assertRowsKept();
  });

  it("takes another port when the old one is taken", async () => {
    const before = await startWithRows();
    await before.close();
    const port = Number(new URL(before.clickhouseUrl).port);
    using _taken = Deno.listen({ hostname: "127.0.0.1", port });
    await assertRowsKept();
  });

  it("starts when the command that was starting the servers was killed", async () => {
    await Deno.remove(join(home, "postgres"), { recursive: true });
    const command = await startCommand(home);
    command.report.catch(() => {});
    await eventually("the cluster is being made", async () => (await serversUnder(home)).length > 0);
    await command.kill();
    const databases = await startEmbedded(home);
    assertEquals(await askPostgres(databases.postgresUrl, "SELECT 1 AS a"), [{ a: 1 }]);
    await databases.close();
  });
});
