import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { SalesflowError, UsageError } from "../../../lib/console/errors.ts";
import { openStore } from "../../../lib/store/open_store.ts";
import { makePlace, type Place, readFile, toBytes } from "./harness.ts";

let place: Place;
beforeAll(async () => {
  place = await makePlace();
});
afterAll(() => place.remove());

describe("openStore()", () => {
  it("opens a folder by path or URL", async () => {
    const { folder } = place;
    for (const location of [folder, `file://${folder}`, `file://localhost${folder}`, `${folder}/`]) {
      const store = openStore(location);
      await store.writeText("a.txt", location);
      assertEquals(await Deno.readTextFile(`${folder}/a.txt`), location);
      assertMatch(store.url, /^file:\/\/\//);
    }
  });

  it("opens a folder whose name means something in URLs", async () => {
    const name = `${place.folder}/Отчёт 100% #1?`;
    await openStore(name).writeText("a.txt", "x");
    assertEquals(await Deno.readTextFile(`${name}/a.txt`), "x");
    assertEquals(await openStore(openStore(name).url).readText("a.txt"), "x");
  });

  const wrong = [
    ...[
      "gs://bucket",
      "http://host/folder",
      "file:folder",
      "file://host/folder",
      "ftp:x",
      "a\0b",
      "S3://bucket",
    ],
    ...[
      "file:///a%00b",
      "file:///%zz",
      "file:///a%2fb",
      "file:///a?b",
      "s3://bucket/a#b",
      "s3://Bucket",
      "s3://b",
    ],
  ];
  for (const url of wrong) {
    it(`refuses ${JSON.stringify(url)}`, () => {
      assertThrows(() => openStore(url), UsageError, "Cannot open the store");
    });
  }
});

describe("openStore() of what is no folder", () => {
  it("says so, also when a folder above it is none", async () => {
    const file = `${place.folder}/file`;
    await Deno.writeTextFile(file, "x");
    assertThrows(() => openStore(file), UsageError, `Cannot keep runs in ${file}: it is a file`);
    assertThrows(() => openStore(`${file}/runs`), UsageError, "a folder above it is a file");
    await Deno.remove(file);
  });
});

describe("FileStore", () => {
  it("says what to do when it may not read", async () => {
    const { readDir, readTextFile } = Deno;
    const refused = new Deno.errors.PermissionDenied("os error 13");
    Deno.readTextFile = () => Promise.reject(refused);
    Deno.readDir = () => ({ [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(refused) }) });
    try {
      for (const read of [() => place.store.readText("a.txt"), () => place.store.list("runs")]) {
        const error = await assertRejects(read, SalesflowError, "it is not allowed");
        assertMatch(error.remedy!, /readable for this user.*--store/);
      }
    } finally {
      Object.assign(Deno, { readDir, readTextFile });
    }
  });

  it("writeText() replaces a file in one step and leaves nothing else", async () => {
    const { store } = place;
    await Promise.all(
      Array.from({ length: 20 }, (_, index) => store.writeText("small/a.json", `${index}`.repeat(5_000))),
    );
    const text = (await store.readText("small/a.json"))!;
    assertMatch(text, /^(\d{1,2})\1+$/);
    assertEquals(await store.list("small"), ["a.json"]);
  });

  it("writeText() leaves the old text when the new one cannot be written", async () => {
    const { store } = place;
    await store.writeText("full/a.json", "old");
    await Deno.mkdir(`${place.folder}/full/b.json`);
    await assertRejects(() => store.writeText("full/b.json", "new"));
    assertEquals(await store.list("full"), ["a.json", "b.json"]);
    assertEquals(await store.readText("full/a.json"), "old");
  });

  it("gives nothing for what is not there", async () => {
    const { store } = place;
    assertEquals(await store.readText("none/a"), undefined);
    assertEquals(await store.size("none/a"), undefined);
    assertEquals(await store.list("none"), []);
    await store.remove("none/a");
    await store.sweep("none");
    await store.writeText("file", "x");
    assertEquals(await store.readText("file/below"), undefined);
  });

  it("read() gives any range, cut at the end of the file", async () => {
    const { store } = place;
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

  it("create() replaces a longer file, and abort() removes it", async () => {
    const { store } = place;
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

  it("list() sorts, and remove() takes folders with all they hold", async () => {
    const { store } = place;
    for (const name of ["b/2", "b/10", "b/c/d", "b/1"]) await store.writeText(name, "");
    assertEquals(await store.list("b"), ["1", "10", "2", "c"]);
    await store.remove("b");
    assertEquals(await store.list("b"), []);
  });

  it("sweep() removes what was left half written, and nothing else", async () => {
    const { store } = place;
    const rest = `a.json.${crypto.randomUUID()}.tmp`;
    const kept = `manifest.json.${crypto.randomUUID()}.tmp`;
    for (const name of [rest, kept, "a.json", "b.tmp"]) {
      await Deno.writeTextFile(`${place.folder}/${name}`, "x");
    }
    await store.sweep("", (name) => name === "manifest.json");
    const left = await store.list("");
    assert(!left.includes(rest));
    for (const name of [kept, "a.json", "b.tmp"]) assert(left.includes(name), name);
  });

  it("sweep() goes into folders, and asks keep() with the path from where it began", async () => {
    const { store } = place;
    const rest = (name: string) => `${name}.${crypto.randomUUID()}.tmp`;
    const [deep, own] = [rest("runs/7/.spark-clean/x/part"), rest("runs/7/raw/part-00001.csv")];
    for (const name of [deep, own, "runs/7/clean/part"]) await store.writeText(name, "x");
    await store.sweep("runs/7", (path) => path.startsWith("raw/"));
    assertEquals(await store.list("runs/7/.spark-clean/x"), []);
    assertEquals([await store.readText(own), await store.readText("runs/7/clean/part")], ["x", "x"]);
  });

  it("lock() is held by one at a time, in other processes too, and ends with its holder", async () => {
    const { store } = place;
    const first = await store.lock("locks/run");
    assert(first);
    assertEquals(await store.lock("locks/run"), undefined);
    assert(await store.lock("locks/other"));
    await first.release();
    const code = `const file = await Deno.open(${
      JSON.stringify(`${place.folder}/locks/run`)
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

  it("lock() is shared by those who ask for that, and then nobody's alone", async () => {
    const { store } = place;
    const shares = [
      await store.lock("locks/shared", { shared: true }),
      await store.lock("locks/shared", { shared: true }),
    ];
    for (const share of shares) {
      assert(share);
      assertEquals(await store.lock("locks/shared"), undefined);
      await share.release();
    }
    const whole = await store.lock("locks/shared");
    assert(whole);
    assertEquals(await store.lock("locks/shared", { shared: true }), undefined);
    await whole.release();
  });
});
