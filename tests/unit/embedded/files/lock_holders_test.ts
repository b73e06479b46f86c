import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { tryLockFile } from "../../../../lib/embedded/files/file_lock.ts";
import { findLockHolders } from "../../../../lib/embedded/files/lock_holders.ts";
import { lockInOtherProcess } from "./lock_holder.ts";

describe("findLockHolders()", () => {
  it("returns the other processes that hold the lock", async () => {
    const folder = await Deno.makeTempDir();
    const path = join(folder, "a.lock");
    assertEquals(await findLockHolders(path), []);
    const own = await tryLockFile(path);
    assertEquals(await findLockHolders(path), []);
    own!.release();
    {
      await using holder = await lockInOtherProcess(path);
      assertEquals(await findLockHolders(path), [holder.pid]);
    }
    assertEquals(await findLockHolders(path), []);
    await Deno.remove(folder, { recursive: true });
  });
});
