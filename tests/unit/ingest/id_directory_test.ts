import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { afterAll, beforeEach, describe, it } from "@std/testing/bdd";
import { SalesflowError } from "../../../lib/console/errors.ts";
import { SurrogateCollector, type Surrogates } from "../../../lib/ingest/chunks/surrogates.ts";
import { IdDirectoryWriter, idFolder, type KnownId, readIds } from "../../../lib/ingest/id_directory.ts";
import { type SurrogateKey, toSurrogateKey } from "../../../lib/ingest/values/ids.ts";
import { FileStore } from "../../../lib/store/file_store.ts";
import { makeTestStore, readFile, RUN_ID, sha256 } from "../store/harness.ts";

const place = await makeTestStore();
const { store } = place;
afterAll(() => place.remove());
beforeEach(() => store.remove(idFolder(RUN_ID)));

const PATH = `${idFolder(RUN_ID)}/part-00000.csv`;

/** Texts as a thread sends them, the first ones with other keys than their own. */
function collect(texts: readonly string[], keys: readonly SurrogateKey[] = []): Surrogates {
  const collector = new SurrogateCollector(7);
  texts.forEach((text, index) => collector.add(keys[index] ?? toSurrogateKey(text), text));
  return collector.take();
}

async function write(...chunks: string[][]) {
  const writer = await IdDirectoryWriter.create(store, RUN_ID);
  for (const texts of chunks) await writer.add(collect(texts));
  return await writer.close();
}

const read = (): Promise<KnownId[]> => Array.fromAsync(readIds(store, RUN_ID));
const known = (text: string): KnownId => ({ number: toSurrogateKey(text).digits, text });

describe("IdDirectoryWriter", () => {
  it("writes each text once, with the way back from its number", async () => {
    const part = await write(["A-1", "B", "A-1"], [], ["B", "Кружка"]);
    assertEquals(await read(), ["A-1", "B", "Кружка"].map(known));
    const bytes = await readFile(store, PATH);
    assertEquals(part, { name: "part-00000.csv", rows: 3, bytes: bytes.length, sha256: sha256(bytes) });
    assertStringIncludes(
      new TextDecoder().decode(bytes),
      `number,text\n${toSurrogateKey("A-1").digits},A-1\n`,
    );
  });

  it("keeps texts of every kind as they are", async () => {
    const texts = ['27" TV, big', '""', "a\r\nb", "\n", " x ", "number,text", "=1+1", "\ufeffx", "-"];
    await write(texts);
    assertEquals(await read(), texts.map(known));
  });

  it("writes many texts", async () => {
    const chunks = Array.from(
      { length: 20 },
      (_, chunk) => Array.from({ length: 3_000 }, (_, index) => `order-${chunk * 2_000 + index}`),
    );
    const texts = new Set(chunks.flat());
    assertEquals((await write(...chunks))?.rows, texts.size);
    assertEquals((await read()).map(({ text }) => text), [...texts]);
  });

  it("leaves no file when there are no texts, and replaces that of an earlier try", async () => {
    await write(["A"]);
    assertEquals(await write([]), undefined);
    assertEquals([await store.list(idFolder(RUN_ID)), await read()], [[], []]);
  });

  it("abort() leaves no file", async () => {
    const writer = await IdDirectoryWriter.create(store, RUN_ID);
    await writer.add(collect(["A"]));
    await writer.abort();
    assertEquals(await store.list(idFolder(RUN_ID)), []);
  });

  it("close() fails when two texts share a number, and names both", async () => {
    const writer = await IdDirectoryWriter.create(store, RUN_ID);
    const shared = { high: 2 ** 30, low: 5, digits: "4611686018427387909" };
    await writer.add(collect(["A-1", "x"], [shared]));
    await writer.add(collect(["B\n2"], [shared]));
    const error = await assertRejects(() => writer.close(), SalesflowError);
    assertStringIncludes(error.message, "A-1");
    assertStringIncludes(error.message, `would both become the number ${shared.digits}`);
    assertEquals([error.exitCode, error.stage, typeof error.remedy], [2, "ingest", "string"]);
  });
});

describe("readIds()", () => {
  it("throws what the store throws while it is read", async () => {
    await write(["A"]);
    class BrokenStore extends FileStore {
      override stream(): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
        return Promise.resolve(
          new ReadableStream({
            pull: (controller) => controller.error(new SalesflowError("no answer", { exitCode: 75 })),
          }),
        );
      }
    }
    const broken = new BrokenStore(place.folder);
    const error = await assertRejects(
      () => Array.fromAsync(readIds(broken, RUN_ID)),
      SalesflowError,
      "no answer",
    );
    assertEquals(error.exitCode, 75);
  });

  it("returns nothing for a run without a directory", async () => assertEquals(await read(), []));
});
