import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { exitCodeOf, messageChain, SalesflowError } from "../../../lib/console/errors.ts";
import { lockRun } from "../../../lib/store/run_lock.ts";
import type { Store } from "../../../lib/store/store.ts";
import { makePlace, type Place } from "./harness.ts";

let place: Place;
beforeAll(async () => {
  place = await makePlace();
});
afterAll(() => place.remove());

async function assertRefused(share?: string): Promise<void> {
  const error = await assertRejects(
    () => lockRun(place.store, "run", share),
    SalesflowError,
    "Another salesflow command is working on run run",
  );
  assertEquals(error.exitCode, 75);
}

describe("lockRun()", () => {
  it("lets one have the run, or several a share each", async () => {
    const whole = await lockRun(place.store, "run");
    await assertRefused();
    await assertRefused("first");
    await whole.release();
    const shares = [await lockRun(place.store, "run", "first"), await lockRun(place.store, "run", "second")];
    await assertRefused("first");
    await assertRefused();
    await shares[0]!.release();
    await assertRefused();
    await shares[1]!.release();
    await (await lockRun(place.store, "run")).release();
  });

  it("names the run when a lock is lost, with the reason underneath", async () => {
    const loss = new AbortController();
    const store = {
      lock: (path: string) =>
        Promise.resolve({
          lost: path.endsWith("share") ? loss.signal : new AbortController().signal,
          release: () => Promise.resolve(),
        }),
    } as unknown as Store;
    const { lost } = await lockRun(store, "run", "share");
    assert(!lost.aborted);
    loss.abort(new Error("another took it"));
    assert(lost.aborted);
    assertEquals(exitCodeOf(lost.reason), 75);
    assertStringIncludes(messageChain(lost.reason).join(": "), "Lost the lock of run run: another took it");
  });
});
