import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { exitCodeOf, messageChain, SalesflowError } from "../../../lib/console/errors.ts";
import { lockRun, tryLockRun } from "../../../lib/store/run_lock.ts";
import type { Store } from "../../../lib/store/store.ts";
import { makeTestStore, type TestStore } from "./harness.ts";

let testStore: TestStore;
beforeAll(async () => {
  testStore = await makeTestStore();
});
afterAll(() => testStore.remove());

async function assertLocked(shard?: string): Promise<void> {
  const error = await assertRejects(
    () => lockRun(testStore.store, "run", shard),
    SalesflowError,
    "Another salesflow command is working on run run",
  );
  assertEquals(error.exitCode, 75);
}

describe("lockRun()", () => {
  it("locks the whole run exclusively, or several shards at once", async () => {
    const run = await lockRun(testStore.store, "run");
    await assertLocked();
    await assertLocked("first");
    await run.release();
    const shards = [
      await lockRun(testStore.store, "run", "first"),
      await lockRun(testStore.store, "run", "second"),
    ];
    await assertLocked("first");
    await assertLocked();
    await shards[0]!.release();
    await assertLocked();
    await shards[1]!.release();
    await (await lockRun(testStore.store, "run")).release();
  });

  it("fires lost with the run and the cause when any of its locks is lost", async () => {
    const loss = new AbortController();
    const store = {
      lock: (path: string) =>
        Promise.resolve({
          lost: path.endsWith("shard") ? loss.signal : new AbortController().signal,
          release: () => Promise.resolve(),
        }),
    } as unknown as Store;
    const { lost } = await lockRun(store, "run", "shard");
    assert(!lost.aborted);
    loss.abort(new Error("another took it"));
    assert(lost.aborted);
    assertEquals(exitCodeOf(lost.reason), 75);
    assertStringIncludes(messageChain(lost.reason).join(": "), "Lost the lock on run run: another took it");
  });
});

describe("tryLockRun()", () => {
  it("returns undefined while another command has locked the run or a shard", async () => {
    for (const shard of [undefined, "first"]) {
      const held = await lockRun(testStore.store, "tried", shard);
      assertEquals(await tryLockRun(testStore.store, "tried"), undefined);
      await held.release();
    }
    const lock = await tryLockRun(testStore.store, "tried");
    assert(lock);
    await lock.release();
  });
});
