import { assertEquals } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import {
  type HomeFiles,
  homeFiles,
  readAccess,
  readState,
  writeAccess,
  writeState,
} from "../../../../lib/embedded/host/home_files.ts";

let home: string;
let files: HomeFiles;

async function createHome(): Promise<void> {
  home = await Deno.makeTempDir();
  files = homeFiles(home, "postgres");
  await Deno.mkdir(files.folder, { recursive: true });
}

const removeHome = () => Deno.remove(home, { recursive: true });

describe("homeFiles()", () => {
  it("puts the data beside the folder with locks, state, access and log", () => {
    const { folder, data, ...paths } = homeFiles("/home", "clickhouse");
    assertEquals([folder, data], ["/home/embedded/clickhouse", "/home/clickhouse"]);
    assertEquals(paths, {
      home: "/home",
      startLock: `${folder}/start.lock`,
      useLock: `${folder}/use.lock`,
      hostLock: `${folder}/host.lock`,
      state: `${folder}/state.json`,
      access: `${folder}/access.json`,
      log: `${folder}/server.log`,
    });
  });
});

describe("readAccess()", () => {
  beforeEach(createHome);
  afterEach(removeHome);

  it("returns what writeAccess() saved, in a file that only its owner can read", async () => {
    await writeAccess(files, { port: 1, password: "p" });
    assertEquals(await readAccess(files), { port: 1, password: "p" });
    assertEquals((await Deno.stat(files.access)).mode! & 0o777, 0o600);
  });

  it("returns undefined when the file is missing or truncated", async () => {
    assertEquals(await readAccess(files), undefined);
    await Deno.writeTextFile(files.access, '{"port": 1, "pa');
    assertEquals(await readAccess(files), undefined);
  });
});

describe("readState()", () => {
  beforeEach(createHome);
  afterEach(removeHome);

  it("returns what writeState() wrote, and undefined when there is no file", async () => {
    assertEquals(await readState(files), undefined);
    await writeState(files, { hostPid: 7, url: "u" });
    assertEquals(await readState(files), { hostPid: 7, url: "u" });
    assertEquals((await Deno.stat(files.state)).mode! & 0o777, 0o600);
  });
});
