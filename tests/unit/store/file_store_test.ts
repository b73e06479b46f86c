import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { SalesflowError } from "../../../lib/console/errors.ts";
import { makeTestStore, readFile, type TestStore, toBytes } from "./harness.ts";

let testStore: TestStore;
beforeAll(async () => {
  testStore = await makeTestStore();
});
afterAll(() => testStore.remove());

describe("FileStore", () => {
  it("readText() and list() throw an error with a remedy when permission is denied", async () => {
    const { readDir, readTextFile } = Deno;
    const denied = new Deno.errors.PermissionDenied("os error 13");
    Deno.readTextFile = () => Promise.reject(denied);
    Deno.readDir = () => ({ [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(denied) }) });
    try {
      for (const read of [() => testStore.store.readText("a.txt"), () => testStore.store.list("runs")]) {
        const error = await assertRejects(read, SalesflowError, "permission denied");
        assertMatch(error.remedy!, /readable for this user.*--store/);
      }
    } finally {
      Object.assign(Deno, { readDir, readTextFile });
    }
  });

  it("writeText() replaces a file atomically, also when called concurrently", async () => {
    const { store } = testStore;
    await Promise.all(
      Array.from({ length: 20 }, (_, index) => store.writeText("small/a.json", `${index}`.repeat(5_000))),
    );
    const text = (await store.readText("small/a.json"))!;
    assertMatch(text, /^(\d{1,2})\1+$/);
    assertEquals(await store.list("small"), ["a.json"]);
  });

  it("writeText() leaves no temporary file when it fails", async () => {
    const { store } = testStore;
    await store.writeText("full/a.json", "old");
    await Deno.mkdir(`${testStore.folder}/full/b.json`);
    await assertRejects(() => store.writeText("full/b.json", "new"));
    assertEquals(await store.list("full"), ["a.json", "b.json"]);
    assertEquals(await store.readText("full/a.json"), "old");
  });

  it("returns nothing for missing files and folders, and removes them without an error", async () => {
    const { store } = testStore;
    assertEquals(await store.readText("none/a"), undefined);
    assertEquals(await store.size("none/a"), undefined);
    assertEquals(await store.stat("none/a"), undefined);
    assertEquals(await store.list("none"), []);
    await store.remove("none/a");
    await store.sweep("none");
    await store.writeText("file", "x");
    assertEquals(await store.readText("file/below"), undefined);
  });

  it("read() returns any range, truncated at the end of the file, and stream() returns all bytes", async () => {
    const { store } = testStore;
    const writer = await store.create("parts/p");
    await writer.write(toBytes("0123"));
    await writer.write(toBytes(""));
    await writer.write(toBytes("456789"));
    await writer.close();
    const text = async (start: number, end: number) =>
      new TextDecoder().decode(await store.read("parts/p", start, end));
    assertEquals(await Promise.all([text(0, 10), text(3, 6), text(8, 99), text(10, 20), text(5, 5)]), [
      "0123456789",
      "345",
      "89",
      "",
      "",
    ]);
    assertEquals(await store.size("parts/p"), 10);
    const chunks = await Array.fromAsync(await store.stream("parts/p"));
    assertEquals(chunks.map((chunk) => new TextDecoder().decode(chunk)).join(""), "0123456789");
  });

  it("create() replaces a longer file, and abort() removes the file, even when called twice", async () => {
    const { store } = testStore;
    for (const content of ["long content", "short"]) {
      const writer = await store.create("replaced");
      await writer.write(toBytes(content));
      await writer.close();
      assertEquals(new TextDecoder().decode(await readFile(store, "replaced")), content);
    }
    const writer = await store.create("replaced");
    await writer.write(toBytes("x"));
    await writer.abort();
    assertEquals(await store.size("replaced"), undefined);
    await writer.abort();
  });

  it("stat() returns the size and the time of the last change", async () => {
    const { store, folder } = testStore;
    await store.writeText("changed", "12345");
    const modifiedAt = new Date("2026-11-24T01:02:03Z");
    await Deno.utime(`${folder}/changed`, modifiedAt, modifiedAt);
    assertEquals(await store.stat("changed"), { size: 5, modifiedAt });
  });

  it("list() returns the names directly in the root for an empty path", async () => {
    const { store, remove } = await makeTestStore();
    for (const name of ["b", "a/c"]) await store.writeText(name, "");
    assertEquals(await store.list(""), ["a", "b"]);
    await remove();
  });

  it("list() returns sorted names, and remove() removes a folder with its contents", async () => {
    const { store } = testStore;
    for (const name of ["b/2", "b/10", "b/c/d", "b/1"]) await store.writeText(name, "");
    assertEquals(await store.list("b"), ["1", "10", "2", "c"]);
    await store.remove("b");
    assertEquals(await store.list("b"), []);
  });

  it("sweep() removes only temporary files, except those to keep", async () => {
    const { store } = testStore;
    const temporary = `a.json.${crypto.randomUUID()}.tmp`;
    const kept = `manifest.json.${crypto.randomUUID()}.tmp`;
    for (const name of [temporary, kept, "a.json", "b.tmp"]) {
      await Deno.writeTextFile(`${testStore.folder}/${name}`, "x");
    }
    await store.sweep("", (name) => name === "manifest.json");
    const left = await store.list("");
    assert(!left.includes(temporary));
    for (const name of [kept, "a.json", "b.tmp"]) assert(left.includes(name), name);
  });

  it("sweep() includes subfolders, and passes paths relative to the folder to keep()", async () => {
    const { store } = testStore;
    const temporary = (name: string) => `${name}.${crypto.randomUUID()}.tmp`;
    const [deep, own] = [temporary("runs/7/.spark-clean/x/part"), temporary("runs/7/raw/part-00001.csv")];
    for (const name of [deep, own, "runs/7/clean/part"]) await store.writeText(name, "x");
    await store.sweep("runs/7", (path) => path.startsWith("raw/"));
    assertEquals(await store.list("runs/7/.spark-clean/x"), []);
    assertEquals([await store.readText(own), await store.readText("runs/7/clean/part")], ["x", "x"]);
  });

  it("lock() returns undefined while another process holds the lock, which ends with the process", async () => {
    const { store } = testStore;
    const first = await store.lock("locks/run");
    assert(first);
    assertEquals(await store.lock("locks/run"), undefined);
    assert(await store.lock("locks/other"));
    await first.release();
    const code = `const file = await Deno.open(${
      JSON.stringify(`${testStore.folder}/locks/run`)
    }, { write: true });
      console.log(await file.tryLock(true));
      await new Promise((resolve) => setTimeout(resolve, 60_000));`;
    const other = new Deno.Command(Deno.execPath(), {
      args: ["eval", "--no-config", "--no-lock", code],
      stdout: "piped",
    }).spawn();
    const reader = other.stdout.getReader();
    assertEquals(new TextDecoder().decode((await reader.read()).value), "true\n");
    assertEquals(await store.lock("locks/run"), undefined);
    other.kill("SIGKILL");
    await other.status;
    await reader.cancel();
    const again = await store.lock("locks/run");
    assert(again);
    await again.release();
  });

  it("lock() never holds a file that its former holder has removed", async () => {
    const { store } = testStore;
    const { open } = Deno;
    const former = await store.lock("gone/lock");
    assert(former);
    // Between opening the file and locking it, the holder removes it and releases the lock.
    let opened = 0;
    Deno.open = async (path, options) => {
      const file = await open(path, options);
      if (++opened === 1) {
        await store.remove("gone");
        await former.release();
      }
      return file;
    };
    try {
      const next = await store.lock("gone/lock");
      assert(next);
      assertEquals([opened, await store.lock("gone/lock")], [2, undefined]);
      await next.release();
    } finally {
      Deno.open = open;
    }
  });

  it("folderSize() returns the sizes of all files below a folder", async () => {
    const { store } = testStore;
    assertEquals(await store.folderSize("sizes"), 0);
    await store.writeText("sizes/a", "123");
    await store.writeText("sizes/deep/er/b", "45");
    await store.writeText("sizes-2/c", "6");
    assertEquals(await store.folderSize("sizes"), 5);
  });

  it("lock() returns several shared locks, but no exclusive one beside them", async () => {
    const { store } = testStore;
    const shared = [
      await store.lock("locks/shared", { shared: true }),
      await store.lock("locks/shared", { shared: true }),
    ];
    for (const lock of shared) {
      assert(lock);
      assertEquals(await store.lock("locks/shared"), undefined);
      await lock.release();
    }
    const exclusive = await store.lock("locks/shared");
    assert(exclusive);
    assertEquals(await store.lock("locks/shared", { shared: true }), undefined);
    await exclusive.release();
  });
});
