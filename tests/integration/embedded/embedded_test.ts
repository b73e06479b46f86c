import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { afterAll, afterEach, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import { startEmbedded } from "../../../lib/embedded/embedded.ts";
import { homeFiles } from "../../../lib/embedded/host/home_files.ts";
import { ENGINES } from "../../../lib/embedded/engines/packages.ts";
import {
  createHome,
  createTemplate,
  findHostPid,
  queryClickHouse,
  queryPostgres,
  startCommand,
  waitUntilStopped,
} from "./harness.ts";

let template: string;

beforeAll(async () => {
  template = await createTemplate();
});

afterAll(() => Deno.remove(template, { recursive: true }));

describe("startEmbedded()", () => {
  let home: string;

  beforeEach(async () => {
    home = await createHome(template);
  });

  afterEach(async () => {
    await waitUntilStopped(home);
    await Deno.remove(home, { recursive: true });
  });

  it("starts both databases, durable and on loopback only, and close() stops them", async () => {
    const databases = await startEmbedded(home);
    try {
      assert(databases.owned);
      const { postgresUrl, clickhouseUrl } = databases;
      assertMatch(postgresUrl, /^postgres:\/\/salesflow:\w{48}@127\.0\.0\.1:\d+\/salesflow$/);
      assertMatch(clickhouseUrl, /^http:\/\/default:\w{48}@127\.0\.0\.1:\d+\/$/);
      const settings = await queryPostgres(
        postgresUrl,
        `SELECT name, setting FROM pg_settings WHERE name IN
          ('fsync', 'synchronous_commit', 'full_page_writes', 'data_checksums', 'listen_addresses', 'server_encoding')
          ORDER BY name`,
      );
      assertEquals(settings.map(({ name, setting }) => `${name}=${setting}`), [
        "data_checksums=on",
        "fsync=on",
        "full_page_writes=on",
        "listen_addresses=127.0.0.1",
        "server_encoding=UTF8",
        "synchronous_commit=on",
      ]);
      const synced = await queryClickHouse(
        clickhouseUrl,
        "SELECT name, value FROM system.merge_tree_settings WHERE name = 'fsync_after_insert'",
      );
      assertEquals(synced, [{ name: "fsync_after_insert", value: "1" }]);
    } finally {
      await databases.close();
    }
    await waitUntilStopped(home);
  });

  it("stores passwords in files that only their owner can read", async () => {
    const databases = await startEmbedded(home);
    try {
      for (const engine of ENGINES) {
        const { folder, access, state, log } = homeFiles(home, engine);
        for (const file of [access, state, log]) assertEquals((await Deno.stat(file)).mode! & 0o777, 0o600);
        assertEquals((await Deno.stat(folder)).mode! & 0o777, 0o700);
      }
    } finally {
      await databases.close();
    }
  });

  it("keeps data, ports and passwords from run to run", async () => {
    const first = await startEmbedded(home);
    await queryPostgres(first.postgresUrl, "CREATE TABLE kept AS SELECT 1 AS a");
    await first.close();
    const second = await startEmbedded(home);
    try {
      assertEquals(second.postgresUrl, first.postgresUrl);
      assertEquals(second.clickhouseUrl, first.clickhouseUrl);
      assertEquals(await queryPostgres(second.postgresUrl, "SELECT a FROM kept"), [{ a: 1 }]);
    } finally {
      await second.close();
    }
  });

  it("uses running servers, which outlive the command that has started them", async () => {
    const command = await startCommand(home);
    const { owned, postgresUrl } = await command.report;
    assert(owned);
    const mine = await startEmbedded(home);
    try {
      assertEquals([mine.owned, mine.postgresUrl], [false, postgresUrl]);
      assert(await command.finish());
      assertEquals(await queryPostgres(mine.postgresUrl, "SELECT 1 AS a"), [{ a: 1 }]);
      assertEquals(await queryClickHouse(mine.clickhouseUrl, "SELECT 1 AS a"), [{ a: 1 }]);
    } finally {
      await mine.close();
    }
  });

  it("starts one host when several commands start at once", async () => {
    const start = () => startEmbedded(home, { engines: ["clickhouse"] });
    const all = await Promise.all([start(), start(), start()]);
    await Promise.all(all.map((databases) => databases.close()));
    assertEquals(all.map(({ owned }) => owned).sort(), [false, false, true]);
    assertEquals(new Set(all.map(({ clickhouseUrl }) => clickhouseUrl)).size, 1);
  });

  it("starts only the missing database when the other one is running", async () => {
    const first = await startEmbedded(home, { engines: ["clickhouse"] });
    const both = await startEmbedded(home);
    try {
      assertEquals([first.owned, both.owned], [true, true]);
      assertEquals(both.clickhouseUrl, first.clickhouseUrl);
      await first.close();
      assertEquals(await queryClickHouse(both.clickhouseUrl, "SELECT 2 AS a"), [{ a: 2 }]);
      assertEquals(await queryPostgres(both.postgresUrl, "SELECT 2 AS a"), [{ a: 2 }]);
    } finally {
      await both.close();
    }
  });

  it("rejects with the signal's reason and leaves nothing behind when aborted during initdb", async () => {
    await Deno.remove(`${home}/postgres`, { recursive: true });
    const controller = new AbortController();
    const starting = startEmbedded(home, { signal: controller.signal });
    controller.abort(new Error("enough"));
    await assertRejects(() => starting, Error, "enough");
  });

  it("may be closed more than once", async () => {
    const databases = await startEmbedded(home, { engines: ["clickhouse"] });
    await Promise.all([databases.close(), databases.close()]);
    await databases.close();
    await waitUntilStopped(home);
  });
});

describe("a command with embedded databases", () => {
  let home: string;

  beforeEach(async () => {
    home = await createHome(template);
  });

  afterEach(async () => {
    await waitUntilStopped(home);
    await Deno.remove(home, { recursive: true });
  });

  it("can use its databases during its cleanup after Ctrl-C", async () => {
    const command = await startCommand(home);
    await command.report;
    command.interruptGroup();
    assert(await command.exited());
    await command.closeStdin();
  });

  it("leaves no server running when it is killed", async () => {
    const command = await startCommand(home);
    await command.report;
    await command.kill();
    await waitUntilStopped(home);
    for (const engine of ENGINES) await assertRejects(() => findHostPid(home, engine), Error, "does not run");
  });
});
