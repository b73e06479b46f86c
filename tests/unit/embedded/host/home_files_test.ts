import { assert, assertEquals, assertMatch } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { isUnlocked, lockFile, tryLockFile } from "../../../../lib/embedded/locks/file_lock.ts";
import {
  freePort,
  type HomeFiles,
  homeFiles,
  newPassword,
  readAccess,
  readState,
  writeAccess,
  writeState,
} from "../../../../lib/embedded/host/home_files.ts";

let home: string;
let files: HomeFiles;

async function makeHome(): Promise<void> {
  home = await Deno.makeTempDir();
  files = homeFiles(home, "postgres");
  await Deno.mkdir(files.folder, { recursive: true });
}

const removeHome = () => Deno.remove(home, { recursive: true });

describe("readAccess()", () => {
  beforeEach(makeHome);
  afterEach(removeHome);

  it("returns what writeAccess() kept, for the owner's eyes only", async () => {
    await writeAccess(files, { port: 1, password: "p" });
    assertEquals(await readAccess(files), { port: 1, password: "p" });
    assertEquals((await Deno.stat(files.access)).mode! & 0o777, 0o600);
  });

  it("returns nothing when the file is missing or torn", async () => {
    assertEquals(await readAccess(files), undefined);
    await Deno.writeTextFile(files.access, '{"port": 1, "pa');
    assertEquals(await readAccess(files), undefined);
  });
});

describe("readState()", () => {
  beforeEach(makeHome);
  afterEach(removeHome);

  it("returns undefined when nothing runs, and what writeState() wrote otherwise", async () => {
    assertEquals(await readState(files), undefined);
    await writeState(files, { hostPid: 7, url: "u" });
    assertEquals(await readState(files), { hostPid: 7, url: "u" });
    assertEquals((await Deno.stat(files.state)).mode! & 0o777, 0o600);
  });
});

describe("newPassword()", () => {
  it("returns another word of letters and digits each time", () => {
    assertMatch(newPassword(), /^[0-9a-f]{48}$/);
    assert(newPassword() !== newPassword());
  });
});

describe("freePort()", () => {
  it("returns the preferred port when it is free, and another one when it is not", () => {
    const port = freePort();
    assertEquals(freePort(port), port);
    using _taken = Deno.listen({ hostname: "127.0.0.1", port });
    assert(freePort(port) !== port);
  });
});

describe("tryLockFile()", () => {
  beforeEach(makeHome);
  afterEach(removeHome);

  const cases: [first: boolean, second: boolean, both: boolean][] = [
    [true, true, true],
    [true, false, false],
    [false, true, false],
    [false, false, false],
  ];
  const name = (shared: boolean) => shared ? "shared" : "alone";
  for (const [first, second, both] of cases) {
    it(`${both ? "gives" : "refuses"} a lock ${name(second)} when somebody holds it ${name(first)}`, async () => {
      using _held = await tryLockFile(files.useLock, { shared: first });
      using lock = await tryLockFile(files.useLock, { shared: second });
      assertEquals(lock !== undefined, both);
    });
  }

  it("gives the lock when it was released", async () => {
    const lock = await tryLockFile(files.useLock);
    assertEquals(await isUnlocked(files.useLock), false);
    lock?.release();
    assertEquals(await isUnlocked(files.useLock), true);
  });
});

describe("lockFile()", () => {
  beforeEach(makeHome);
  afterEach(removeHome);

  it("waits until the lock is released, and says once that it waits", async () => {
    const held = await lockFile(files.useLock);
    let waits = 0;
    const waiting = lockFile(files.useLock, {
      onWait: () => {
        waits++;
        held.release();
      },
    });
    (await waiting).release();
    assertEquals(waits, 1);
  });

  it("rejects with the signal's reason when it is aborted", async () => {
    using _held = await lockFile(files.useLock);
    const enough = new AbortController();
    const reason = new Error("enough");
    const waiting = lockFile(files.useLock, { signal: enough.signal, onWait: () => enough.abort(reason) });
    assertEquals(await waiting.catch((error) => error), reason);
  });
});
