import { assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeEach, describe, it } from "@std/testing/bdd";
import { partName } from "../../../lib/dataset/dataset.ts";
import { PartWriter } from "../../../lib/dataset/part_writer.ts";
import { makeTestStore, sha256, toBytes } from "../store/harness.ts";

const testStore = await makeTestStore();
const { store } = testStore;
const FOLDER = "runs/test/clean";
afterAll(() => testStore.remove());
beforeEach(() => store.remove("runs"));

describe("PartWriter", () => {
  it("create() aborts the file when the header cannot be written", async () => {
    let aborted = 0;
    const create = () =>
      Promise.resolve({
        write: () => Promise.reject(new Error("the disk is full")),
        close: () => Promise.resolve(),
        abort: () => Promise.resolve(void aborted++),
      });
    const fullStore = Object.assign(Object.create(store), { create });
    await assertRejects(
      () => PartWriter.create(fullStore, FOLDER, partName(0), "a,b"),
      Error,
      "disk is full",
    );
    assertEquals(aborted, 1);
  });

  it("close() returns rows, size and checksum of what was written, including the header", async () => {
    const writer = await PartWriter.create(store, FOLDER, partName(3), "a,b");
    for (const line of ["1,2\n", "", "3,я\n"]) await writer.write(toBytes(line));
    const content = "a,b\n1,2\n3,я\n";
    assertEquals(await writer.close(2), {
      name: "part-00003.csv",
      rows: 2,
      bytes: 13,
      sha256: sha256(content),
    });
    assertEquals(await store.readText(`${FOLDER}/part-00003.csv`), content);
  });

  it("abort() removes the part", async () => {
    const writer = await PartWriter.create(store, FOLDER, partName(0), "a");
    await writer.abort();
    assertEquals(await store.list(FOLDER), []);
  });
});
