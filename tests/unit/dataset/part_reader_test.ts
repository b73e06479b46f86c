import { assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { measureFile, shortSha256, streamMeasured } from "../../../lib/dataset/part_reader.ts";
import type { Store } from "../../../lib/store/store.ts";
import { joinBytes, makeTestStore, sha256, type TestStore } from "../store/harness.ts";

const PATH = "runs/test/raw/part-00000.csv";
/** Larger than a chunk of the file system. */
const CONTENT = "0123456789abcde\n".repeat(20_000);

let testStore: TestStore;
let store: Store;
beforeAll(async () => {
  testStore = await makeTestStore();
  store = testStore.store;
  await store.writeText(PATH, CONTENT);
  await store.writeText("empty", "");
});
afterAll(() => testStore.remove());

/** A store whose stream gives one chunk and then stalls; tells whether the stream was cancelled. */
function stallingStore(): { store: Store; isCancelled: () => boolean } {
  let cancelled = false;
  const stream = () =>
    Promise.resolve(
      new ReadableStream<Uint8Array<ArrayBuffer>>({
        start: (controller) => controller.enqueue(new Uint8Array(3)),
        cancel: () => void (cancelled = true),
      }),
    );
  return { store: Object.assign(Object.create(store), { stream }), isCancelled: () => cancelled };
}

describe("streamMeasured()", () => {
  it("yields all bytes, then returns size and checksum", async () => {
    const stream = streamMeasured(store, PATH);
    const chunks: Uint8Array[] = [];
    let next = await stream.next();
    while (!next.done) {
      chunks.push(next.value);
      next = await stream.next();
    }
    assertEquals(new TextDecoder().decode(joinBytes(chunks)), CONTENT);
    assertEquals(next.value, { bytes: CONTENT.length, sha256: sha256(CONTENT) });
  });

  it("closes the file when the caller stops early", async () => {
    const { store, isCancelled } = stallingStore();
    for await (const _ of streamMeasured(store, PATH)) break;
    assertEquals(isCancelled(), true);
  });
});

describe("measureFile()", () => {
  it("returns size and checksum, and passes on all bytes", async () => {
    let length = 0;
    const measure = await measureFile(store, PATH, (bytes) => length += bytes.length);
    assertEquals(measure, { bytes: CONTENT.length, sha256: sha256(CONTENT) });
    assertEquals(length, CONTENT.length);
    assertEquals(await measureFile(store, "empty"), { bytes: 0, sha256: sha256("") });
  });

  it("throws when the file is missing", async () => {
    await assertRejects(() => measureFile(store, "missing"), Deno.errors.NotFound);
  });

  it("throws the signal's reason when it is aborted before or while it waits for bytes", async () => {
    const reason = new Error("stopped");
    const read = (signal: AbortSignal, store: Store) => measureFile(store, PATH, undefined, signal);
    assertEquals(await assertRejects(() => read(AbortSignal.abort(reason), store)), reason);

    const controller = new AbortController();
    const { store: stalling, isCancelled } = stallingStore();
    const reading = read(controller.signal, stalling);
    setTimeout(() => controller.abort(reason), 1);
    assertEquals(await assertRejects(() => reading), reason);
    assertEquals(isCancelled(), true);
  });

  it("closes the file and throws when the callback throws", async () => {
    const { store, isCancelled } = stallingStore();
    const error = new Error("callback");
    const reading = measureFile(store, PATH, () => {
      throw error;
    });
    assertEquals(await assertRejects(() => reading), error);
    assertEquals(isCancelled(), true);
  });
});

describe("shortSha256()", () => {
  it("returns the first 12 digits and an ellipsis", () => {
    assertEquals(shortSha256(sha256("")), "e3b0c44298fc…");
  });
});
