import { assertEquals, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { SalesflowError } from "../../../../lib/console/errors.ts";
import {
  isUnlocked,
  lockFile,
  lockFileBlocking,
  tryLockFile,
} from "../../../../lib/embedded/files/file_lock.ts";

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

describe("lockFile()", () => {
  beforeEach(createFolder);
  afterEach(removeFolder);

  it("waits until the lock is released, and calls onWait once", async () => {
    const held = await lockFile(path);
    let waits = 0;
    const waiting = lockFile(path, {
      onWait: () => {
        waits++;
        held.release();
      },
    });
    (await waiting).release();
    assertEquals(waits, 1);
  });

  it("rejects with the signal's reason when it is aborted", async () => {
    using _held = await lockFile(path);
    const controller = new AbortController();
    const reason = new Error("enough");
    const waiting = lockFile(path, { signal: controller.signal, onWait: () => controller.abort(reason) });
    assertEquals(await waiting.catch((error) => error), reason);
  });
});

describe("lockFileBlocking()", () => {
  beforeEach(createFolder);
  afterEach(removeFolder);

  it("acquires the exclusive lock when the last shared holder releases it", async () => {
    const first = await lockFile(path, { shared: true });
    const second = await lockFile(path, { shared: true });
    let acquired = false;
    const waiting = lockFileBlocking(path).then((lock) => {
      acquired = true;
      return lock;
    });
    first.release();
    assertEquals(await tryLockFile(path), undefined);
    assertEquals(acquired, false);
    second.release();
    using _lock = await waiting;
    assertEquals(await isUnlocked(path), false);
  });
});
