import { assertEquals, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { SalesflowError } from "../../../../lib/console/errors.ts";
import { isUnlocked, lockFileBlocking, tryLockFile } from "../../../../lib/embedded/files/file_lock.ts";

let folder: string;
let path: string;

async function createFolder(): Promise<void> {
  folder = await Deno.makeTempDir();
  path = join(folder, "use.lock");
}

const removeFolder = () => Deno.remove(folder, { recursive: true });

describe("tryLockFile()", () => {
  beforeEach(createFolder);
  afterEach(removeFolder);

  const cases: [first: boolean, second: boolean, both: boolean][] = [
    [true, true, true],
    [true, false, false],
    [false, true, false],
    [false, false, false],
  ];
  const name = (shared: boolean) => shared ? "a shared" : "an exclusive";
  for (const [first, second, both] of cases) {
    it(`${both ? "acquires" : "refuses"} ${name(second)} lock when there is ${name(first)} one`, async () => {
      using _held = await tryLockFile(path, { shared: first });
      using lock = await tryLockFile(path, { shared: second });
      assertEquals(lock !== undefined, both);
    });
  }

  it("throws SalesflowError when the folder is missing", async () => {
    await assertRejects(() => tryLockFile(join(folder, "missing", "a.lock")), SalesflowError, "Cannot open");
  });

  it("acquires the lock again after its release", async () => {
    const lock = await tryLockFile(path);
    assertEquals(await isUnlocked(path), false);
    lock?.release();
    assertEquals(await isUnlocked(path), true);
  });
});

describe("FileLock", () => {
  beforeEach(createFolder);
  afterEach(removeFolder);

  it("is no longer current when its file was removed, even if another one has its place", async () => {
    using lock = await tryLockFile(path);
    assertEquals(await lock!.isCurrent(), true);
    await Deno.remove(path);
    assertEquals(await lock!.isCurrent(), false);
    using other = await tryLockFile(path);
    assertEquals([await lock!.isCurrent(), await other!.isCurrent()], [false, true]);
  });
});

describe("lockFileBlocking()", () => {
  beforeEach(createFolder);
  afterEach(removeFolder);

  it("acquires the exclusive lock when the last shared holder releases it", async () => {
    const first = await tryLockFile(path, { shared: true });
    const second = await tryLockFile(path, { shared: true });
    let acquired = false;
    const waiting = lockFileBlocking(path).then((lock) => {
      acquired = true;
      return lock;
    });
    first!.release();
    assertEquals(await tryLockFile(path), undefined);
    assertEquals(acquired, false);
    second!.release();
    using _lock = await waiting;
    assertEquals(await isUnlocked(path), false);
  });
});
