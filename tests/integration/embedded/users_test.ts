import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { afterAll, afterEach, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { cacheFolder } from "../../../lib/embedded/engines/cache_folder.ts";
import { ensureEngines } from "../../../lib/embedded/engines/engines.ts";
import { homeFiles } from "../../../lib/embedded/host/home_files.ts";
import {
  allGone,
  askClickHouse,
  askPostgres,
  type CommandOptions,
  exists,
  PROJECT,
  startCommand,
} from "./harness.ts";

/** An id that no user of this machine has. */
const STRANGER = 54321;
/** Where root keeps what PostgreSQL's user must reach. */
const SHARED_FOLDER = "/var/lib/salesflow";

async function sh(script: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("/bin/sh", { args: ["-ec", script, "sh", ...args] })
    .output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

async function ownerOf(path: string): Promise<number | null> {
  return (await Deno.stat(path)).uid;
}

/** A PATH on which the system forbids user namespaces, as in most containers. */
async function forbidNamespaces(folder: string): Promise<string> {
  const bin = join(folder, "bin");
  await Deno.mkdir(bin);
  await Deno.writeTextFile(join(bin, "unshare"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
  return `${bin}:${Deno.env.get("PATH")}`;
}

/** Runs a command on a home to its end; both databases must answer meanwhile. */
async function assertWorks(home: string, options: CommandOptions): Promise<void> {
  const command = await startCommand(home, options);
  const { postgresUrl, clickhouseUrl } = await command.report;
  try {
    await askPostgres(postgresUrl, "CREATE TABLE IF NOT EXISTS kept AS SELECT 1 AS a");
    assertEquals(await askPostgres(postgresUrl, "SELECT a FROM kept"), [{ a: 1 }]);
    assertEquals(await askClickHouse(clickhouseUrl, "SELECT 1 AS a"), [{ a: 1 }]);
  } finally {
    assert(await command.finish());
  }
}

// Only root can be somebody else; ordinary users run all the other tests as what they are.
if (Deno.uid() === 0) {
  describe("startEmbedded()", () => {
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

      it("keeps PostgreSQL's files root's own when user namespaces are permitted", async () => {
        const home = join(folder, "home");
        await assertWorks(home, {});
        assertEquals(await ownerOf(join(home, "postgres", "data")), 0);
        await allGone(home);
      });

      it("hands PostgreSQL's files to another user when namespaces are forbidden, and stays with that", async () => {
        await Deno.chmod(folder, 0o755);
        const home = join(folder, "home");
        await Deno.mkdir(home, { mode: 0o755 });
        await assertWorks(home, {});
        await assertWorks(home, forbidden);
        const owner = await ownerOf(join(home, "postgres", "data"));
        assert(owner !== 0);
        await assertWorks(home, {});
        assertEquals(await ownerOf(join(home, "postgres", "data")), owner);
        await allGone(home);
      });

      it("keeps PostgreSQL's files elsewhere when that user cannot enter the home", async () => {
        const home = join(folder, "home");
        await assertWorks(home, forbidden);
        const moved = join(home, "postgres", "moved-to.txt");
        const away = (await Deno.readTextFile(moved)).trim();
        try {
          assert(await ownerOf(join(away, "data")) !== 0);
          await assertWorks(home, {});
          // A home that was deleted takes its data with it.
          await Deno.remove(home, { recursive: true });
          await assertWorks(home, forbidden);
        } finally {
          await allGone(home);
          await Deno.remove(away, { recursive: true });
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
        // Everything root's own may be out of an ordinary user's reach. Links cost nothing, but need one file system.
        await sh('chmod 755 "$1"; mkdir -p "$1/cache" "$1/deno-dir" "$1/project/tests/integration"', folder);
        const give = 'cp -al "$1" "$2" 2>/dev/null || cp -a "$1" "$2"';
        await sh(give, join(cacheFolder(), "engines"), join(folder, "cache"));
        await sh(give, join(denoDir, "npm"), join(folder, "deno-dir"));
        await sh(give, Deno.execPath(), join(folder, "deno"));
        await sh('cp -a "$1/lib" "$1/deno.json" "$2"', PROJECT, join(folder, "project"));
        await sh(
          'cp -a "$1" "$2"',
          join(PROJECT, "tests/integration/embedded"),
          join(folder, "project/tests/integration"),
        );
        await Deno.mkdir(home);
        await sh('chown "$1" "$2" "$3"', `${STRANGER}:${STRANGER}`, home, join(folder, "deno-dir"));
        ordinary = {
          uid: STRANGER,
          gid: STRANGER,
          cwd: folder,
          deno: join(folder, "deno"),
          project: join(folder, "project"),
          env: { HOME: home, SALESFLOW_CACHE: join(folder, "cache"), DENO_DIR: join(folder, "deno-dir") },
        };
      });

      afterAll(async () => {
        await allGone(home);
        await Deno.remove(folder, { recursive: true });
      });

      it("runs everything as that user", async () => {
        await assertWorks(home, ordinary);
        assertEquals(await ownerOf(join(home, "postgres", "data")), STRANGER);
        assertEquals(await ownerOf(join(home, "clickhouse")), STRANGER);
      });

      it("needs a name for the user when namespaces are forbidden", async () => {
        const bin = await forbidNamespaces(folder);
        const env = { ...ordinary.env, PATH: bin };
        const command = await startCommand(join(folder, "home"), { ...ordinary, env, stderr: "null" });
        await assertRejects(() => command.report);
        assertEquals(await command.finish(), false);
        const log = await Deno.readTextFile(homeFiles(home, "postgres").log);
        assertStringIncludes(log, `the system has no name for your user id ${STRANGER}`);
      });

      it("lets root use PostgreSQL of that home, without taking it away from the user", async () => {
        await assertWorks(home, {});
        await assertWorks(home, ordinary);
      });

      it("says whose the data are when they belong to somebody else", async () => {
        await sh('chown -R 54322 "$1/postgres/data"', home);
        const command = await startCommand(home, { ...ordinary, stderr: "null" });
        await assertRejects(() => command.report);
        assertEquals(await command.finish(), false);
        const log = await Deno.readTextFile(homeFiles(home, "postgres").log);
        assertStringIncludes(log, `it belongs to user 54322, you are ${STRANGER}`);
      });
    });
  });
}
