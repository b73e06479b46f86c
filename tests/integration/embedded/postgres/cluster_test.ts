import { assertEquals, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { startEmbedded } from "../../../../lib/embedded/embedded.ts";
import { homeFiles } from "../../../../lib/embedded/host/home_files.ts";
import { findServers, queryPostgres, startCommand, waitUntil, waitUntilStopped } from "../harness.ts";

let home: string;

async function createHome(): Promise<void> {
  home = await Deno.makeTempDir();
}

async function removeHome(): Promise<void> {
  await waitUntilStopped(home);
  await Deno.remove(home, { recursive: true });
}

const start = () => startEmbedded(home, { engines: ["postgres"] });

describe("createCluster()", () => {
  beforeEach(createHome);
  afterEach(removeHome);

  it("replaces an unfinished cluster", async () => {
    const unfinished = join(home, "postgres", "data.new");
    await Deno.mkdir(join(unfinished, "base"), { recursive: true });
    await Deno.writeTextFile(join(unfinished, "PG_VERSION"), "18\n");
    const databases = await start();
    assertEquals(await queryPostgres(databases.postgresUrl, "SELECT 1 AS a"), [{ a: 1 }]);
    await databases.close();
    await assertRejects(() => Deno.stat(unfinished), Deno.errors.NotFound);
  });

  it("succeeds after the command that was creating the cluster was killed", async () => {
    const command = await startCommand(home);
    command.report.catch(() => {});
    await waitUntil("initdb is running", async () => (await findServers(home)).length > 0);
    await command.kill();
    const databases = await start();
    assertEquals(await queryPostgres(databases.postgresUrl, "SELECT 1 AS a"), [{ a: 1 }]);
    await databases.close();
  });
});

describe("resetPassword()", () => {
  beforeEach(createHome);
  afterEach(removeHome);

  it("sets a new password on the existing cluster when access.json is lost", async () => {
    const before = await start();
    await queryPostgres(before.postgresUrl, "CREATE TABLE kept AS SELECT 1 AS a");
    await before.close();
    await Deno.remove(homeFiles(home, "postgres").access);
    const after = await start();
    try {
      assertEquals(after.postgresUrl === before.postgresUrl, false);
      assertEquals(await queryPostgres(after.postgresUrl, "SELECT a FROM kept"), [{ a: 1 }]);
      await assertRejects(() => queryPostgres(before.postgresUrl, "SELECT 1"));
    } finally {
      await after.close();
    }
  });
});
