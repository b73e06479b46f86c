import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { SalesflowError } from "../../../../lib/console/errors.ts";
import { tryLockFile } from "../../../../lib/embedded/files/file_lock.ts";
import { lockFile, waitFor } from "../../../../lib/embedded/files/limited_wait.ts";
import { lockInOtherProcess } from "./lock_holder.ts";

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await Deno.makeTempDir();
  path = join(folder, "use.lock");
});
afterEach(() => Deno.remove(folder, { recursive: true }));

describe("waitFor()", () => {
  const wait = { what: "the end", lock: "/no/such.lock" };

  it("returns the first value", async () => {
    const results = [undefined, undefined, 0];
    assertEquals(await waitFor(() => Promise.resolve(results.shift()), wait), 0);
  });

  it("throws with exit code 75 at the limit, and says what it has waited for", async () => {
    const never = () => waitFor(() => Promise.resolve(undefined), { ...wait, limitMs: 50 });
    const error = await assertRejects(never, SalesflowError, "Waited 0.05 s for the end");
    assertEquals(error.exitCode, 75);
    assertEquals(
      error.remedy,
      "The lock /no/such.lock is held by another process. Wait until it has finished. Then run again.",
    );
  });

  it("rejects with the signal's reason when it is aborted", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const attempt = () => Promise.resolve(controller.abort(reason));
    const waiting = waitFor(attempt, { ...wait, signal: controller.signal });
    assertEquals(await waiting.catch((error) => error), reason);
  });
});

describe("lockFile()", () => {
  it("waits until the lock is released", async () => {
    const held = await lockFile(path);
    const waiting = lockFile(path);
    assertEquals(await tryLockFile(path), undefined);
    held.release();
    using lock = await waiting;
    assertEquals(await lock.isCurrent(), true);
  });

  it("names the process that holds the lock", async () => {
    await using holder = await lockInOtherProcess(path);
    const error = await assertRejects(
      () => lockFile(path, { what: "its release", limitMs: 50 }),
      SalesflowError,
      "Waited 0.05 s for its release",
    );
    assertMatch(
      error.remedy!,
      new RegExp(`is held by process ${holder.pid}\\. .*: kill ${holder.pid}\\. Then`),
    );
  });
});
