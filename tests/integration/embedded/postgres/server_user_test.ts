import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { afterAll, afterEach, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { cacheFolder } from "../../../../lib/embedded/engines/cache_folder.ts";
import { ensureEngines } from "../../../../lib/embedded/engines/engines.ts";
import { exists } from "../../../../lib/embedded/files/exists.ts";
import { homeFiles } from "../../../../lib/embedded/host/home_files.ts";
import {
  type CommandOptions,
  PROJECT,
  queryClickHouse,
  queryPostgres,
  startCommand,
  waitUntilStopped,
} from "../harness.ts";

/** A user id without an entry in /etc/passwd. */
const ORDINARY_UID = 54321;
/** Where root puts files that PostgreSQL's user must reach. */
const SHARED_FOLDER = "/var/lib/salesflow";

async function runScript(script: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("/bin/sh", { args: ["-ec", script, "sh", ...args] })
    .output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

async function ownerOf(path: string): Promise<number | null> {
  return (await Deno.stat(path)).uid;
}

/** Returns a PATH with which user namespaces fail, as they do in most containers. */
async function forbidNamespaces(folder: string): Promise<string> {
  const bin = join(folder, "bin");
  await Deno.mkdir(bin);
  await Deno.writeTextFile(join(bin, "unshare"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
  return `${bin}:${Deno.env.get("PATH")}`;
}

/** Runs a command on a home; both databases must work. */
async function assertWorks(home: string, options: CommandOptions): Promise<void> {
  const command = await startCommand(home, options);
  const { postgresUrl, clickhouseUrl } = await command.report;
  try {
    await queryPostgres(postgresUrl, "CREATE TABLE IF NOT EXISTS kept AS SELECT 1 AS a");
    assertEquals(await queryPostgres(postgresUrl, "SELECT a FROM kept"), [{ a: 1 }]);
    assertEquals(await queryClickHouse(clickhouseUrl, "SELECT 1 AS a"), [{ a: 1 }]);
  } finally {
    assert(await command.finish());
  }
}

// Only root can switch users; for ordinary users, all other tests run as that user.
if (Deno.uid() === 0) {
  describe("chooseServerUser()", () => {
    let sharedBefore: boolean;

    beforeAll(async () => {
      sharedBefore = await exists(SHARED_FOLDER);
    });

    afterAll(async () => {
      if (!sharedBefore && await exists(SHARED_FOLDER)) await Deno.remove(SHARED_FOLDER, { recursive: true });
    });

    describe("for root", () => {
      let folder: string;
      let forbidden: CommandOptions;
      beforeEach(async () => {
        folder = await Deno.makeTempDir();
        forbidden = { env: { PATH: await forbidNamespaces(folder) } };
      });

      afterEach(async () => {
        await Deno.remove(folder, { recursive: true });
      });

      it("leaves PostgreSQL's files to root when user namespaces are allowed", async () => {
        const home = join(folder, "home");
        await assertWorks(home, {});
        assertEquals(await ownerOf(join(home, "postgres", "data")), 0);
        await waitUntilStopped(home);
      });

      it("gives PostgreSQL's files to another user when namespaces are forbidden, and keeps that owner", async () => {
        await Deno.chmod(folder, 0o755);
        const home = join(folder, "home");
        await Deno.mkdir(home, { mode: 0o755 });
        await assertWorks(home, {});
        await assertWorks(home, forbidden);
        const owner = await ownerOf(join(home, "postgres", "data"));
        assert(owner !== 0);
        await assertWorks(home, {});
        assertEquals(await ownerOf(join(home, "postgres", "data")), owner);
        await waitUntilStopped(home);
      });

      it("uses another folder when that user cannot enter the home", async () => {
        const home = join(folder, "home");
        await assertWorks(home, forbidden);
        const moved = join(home, "postgres", "moved-to.txt");
        const substitute = (await Deno.readTextFile(moved)).trim();
        try {
          assert(await ownerOf(join(substitute, "data")) !== 0);
          await assertWorks(home, {});
          // The data of a deleted home is not used for a new one.
          await Deno.remove(home, { recursive: true });
          await assertWorks(home, forbidden);
        } finally {
          await waitUntilStopped(home);
          await Deno.remove(substitute, { recursive: true });
        }
      });
    });

    describe("for an ordinary user", () => {
      let folder: string;
      let home: string;
      let ordinary: CommandOptions;

      beforeAll(async () => {
        await ensureEngines();
        folder = await Deno.makeTempDir();
        home = join(folder, "home");
        const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
        const { denoDir } = JSON.parse(new TextDecoder().decode(stdout));
        // An ordinary user may be unable to reach root's files. Hard links cost nothing, but work only within one file system.
        await runScript(
          'chmod 755 "$1"; mkdir -p "$1/cache" "$1/deno-dir" "$1/project/tests/integration"',
          folder,
        );
        const copy = 'cp -al "$1" "$2" 2>/dev/null || cp -a "$1" "$2"';
        await runScript(copy, join(cacheFolder(), "engines"), join(folder, "cache"));
        await runScript(copy, join(denoDir, "npm"), join(folder, "deno-dir"));
        await runScript(copy, Deno.execPath(), join(folder, "deno"));
        await runScript('cp -a "$1/lib" "$1/deno.json" "$2"', PROJECT, join(folder, "project"));
        await runScript(
          'cp -a "$1" "$2"',
          join(PROJECT, "tests/integration/embedded"),
          join(folder, "project/tests/integration"),
        );
        await Deno.mkdir(home);
        await runScript(
          'chown "$1" "$2" "$3"',
          `${ORDINARY_UID}:${ORDINARY_UID}`,
          home,
          join(folder, "deno-dir"),
        );
        ordinary = {
          uid: ORDINARY_UID,
          gid: ORDINARY_UID,
          cwd: folder,
          deno: join(folder, "deno"),
          project: join(folder, "project"),
          env: { HOME: home, SALESFLOW_CACHE: join(folder, "cache"), DENO_DIR: join(folder, "deno-dir") },
        };
      });

      afterAll(async () => {
        await waitUntilStopped(home);
        await Deno.remove(folder, { recursive: true });
      });

      it("runs everything as that user", async () => {
        await assertWorks(home, ordinary);
        assertEquals(await ownerOf(join(home, "postgres", "data")), ORDINARY_UID);
        assertEquals(await ownerOf(join(home, "clickhouse")), ORDINARY_UID);
      });

      it("throws when the user has no name and namespaces are forbidden", async () => {
        const bin = await forbidNamespaces(folder);
        const env = { ...ordinary.env, PATH: bin };
        const command = await startCommand(join(folder, "home"), { ...ordinary, env, stderr: "null" });
        await assertRejects(() => command.report);
        assertEquals(await command.finish(), false);
        const log = await Deno.readTextFile(homeFiles(home, "postgres").log);
        assertStringIncludes(log, `the system has no name for your user id ${ORDINARY_UID}`);
      });

      it("lets root use that home without changing its owner", async () => {
        await assertWorks(home, {});
        await assertWorks(home, ordinary);
      });

      it("names the owner when the data belongs to another user", async () => {
        await runScript('chown -R 54322 "$1/postgres/data"', home);
        const command = await startCommand(home, { ...ordinary, stderr: "null" });
        await assertRejects(() => command.report);
        assertEquals(await command.finish(), false);
        const log = await Deno.readTextFile(homeFiles(home, "postgres").log);
        assertStringIncludes(log, `it belongs to user 54322, you are ${ORDINARY_UID}`);
      });
    });
  });
}
