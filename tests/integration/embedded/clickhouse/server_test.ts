import { assert, assertEquals } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { startEmbedded } from "../../../../lib/embedded/embedded.ts";
import { homeFiles } from "../../../../lib/embedded/host/home_files.ts";
import { queryClickHouse, waitUntilStopped } from "../harness.ts";

describe("startClickHouse()", () => {
  let home: string;

  beforeEach(async () => {
    home = await Deno.makeTempDir();
  });

  afterEach(async () => {
    await waitUntilStopped(home);
    await Deno.remove(home, { recursive: true });
  });

  const start = () => startEmbedded(home, { engines: ["clickhouse"] });

  it("applies config.xml", async () => {
    const databases = await start();
    try {
      const settings = await queryClickHouse<{ name: string; value: string }>(
        databases.clickhouseUrl,
        `SELECT name, value FROM system.merge_tree_settings WHERE name LIKE 'fsync_%' AND changed
          UNION ALL SELECT name, value FROM system.server_settings WHERE name = 'max_server_memory_usage'
          ORDER BY name`,
      );
      assertEquals(settings.map(({ name, value }) => `${name}=${value}`), [
        "fsync_after_insert=1",
        "fsync_part_directory=1",
        "max_server_memory_usage=671088640",
      ]);
    } finally {
      await databases.close();
    }
  });

  it("chooses another port when the old one is taken, and a new password when access.json is lost", async () => {
    const before = await start();
    await before.close();
    const { port, password } = new URL(before.clickhouseUrl);
    {
      using _taken = Deno.listen({ hostname: "127.0.0.1", port: Number(port) });
      const databases = await start();
      assert(new URL(databases.clickhouseUrl).port !== port);
      assertEquals(new URL(databases.clickhouseUrl).password, password);
      await databases.close();
    }
    await Deno.remove(homeFiles(home, "clickhouse").access);
    const databases = await start();
    assert(new URL(databases.clickhouseUrl).password !== password);
    assertEquals(await queryClickHouse(databases.clickhouseUrl, "SELECT 1 AS a"), [{ a: 1 }]);
    await databases.close();
  });

  it("cancels running statements when it is stopped", async () => {
    const databases = await start();
    const query = "SELECT sleepEachRow(1) FROM numbers(100) SETTINGS max_block_size = 1";
    const running = queryClickHouse(databases.clickhouseUrl, query).catch((error) => error.type);
    const count =
      `SELECT count()::UInt8 AS n FROM system.processes WHERE startsWith(query, 'SELECT sleepEachRow')`;
    while ((await queryClickHouse<{ n: number }>(databases.clickhouseUrl, count))[0]?.n !== 1);
    await databases.close();
    assertEquals(await running, "QUERY_WAS_CANCELLED");
  });
});
