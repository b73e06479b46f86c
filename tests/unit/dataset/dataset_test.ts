import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { afterAll, beforeEach, describe, it } from "@std/testing/bdd";
import { SalesflowError } from "../../../lib/console/errors.ts";
import {
  checkAsOf,
  clearDataset,
  datasetFolder,
  fingerprint,
  makeManifest,
  type Manifest,
  openDataset,
  type Part,
  partName,
  publishDataset,
  readManifest,
  sourceLine,
} from "../../../lib/dataset/dataset.ts";
import { PartWriter } from "../../../lib/dataset/part_writer.ts";
import type { Store } from "../../../lib/store/store.ts";
import { AS_OF, makeTestStore, RUN_ID, sha256, toBytes } from "../store/harness.ts";

const testStore = await makeTestStore();
const { store } = testStore;
const FOLDER = datasetFolder(RUN_ID, "clean");
const MANIFEST = `${FOLDER}/manifest.json`;
afterAll(() => testStore.remove());
beforeEach(() => store.remove("runs"));

async function writePart(index: number, rows: string[]): Promise<Part> {
  const writer = await PartWriter.create(store, FOLDER, partName(index), "a,b");
  for (const row of rows) await writer.write(toBytes(`${row}\n`));
  return await writer.close(rows.length);
}

async function publish(parts: Part[]): Promise<Manifest> {
  const description = { dataset: "clean" as const, runId: RUN_ID, asOf: AS_OF, engine: "native" as const };
  return await publishDataset(store, { ...description, facts: { raw: "x" } }, parts);
}

/** Returns the store with one method replaced. */
function withMethod<Name extends keyof Store>(name: Name, method: Store[Name]): Store {
  return new Proxy(store, {
    get(target, asked) {
      if (asked === name) return method;
      const value = Reflect.get(target, asked);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** Counts concurrent calls; each yields to the event loop before it calls `work`. */
function countConcurrent<T>(work: (path: string) => Promise<T>): { max: () => number; call: typeof work } {
  let [running, max] = [0, 0];
  const call = async (path: string) => {
    max = Math.max(max, ++running);
    await new Promise((resolve) => setTimeout(resolve));
    return await work(path).finally(() => running--);
  };
  return { max: () => max, call };
}

describe("publishDataset()", () => {
  it("writes the manifest of the data contract, byte for byte", async () => {
    const part = await writePart(0, ["1,2"]);
    await publish([part]);
    const expected = sha256(`part-00000.csv\t1\t8\t${part.sha256}\n`);
    assertEquals(
      await store.readText(MANIFEST),
      `{
  "dataset": "clean",
  "format": 1,
  "run_id": "test",
  "as_of": "2026-11-24",
  "engine": "native",
  "rows": 1,
  "bytes": 8,
  "fingerprint": "${expected}",
  "parts": [
    {
      "name": "part-00000.csv",
      "rows": 1,
      "bytes": 8,
      "sha256": "${part.sha256}"
    }
  ],
  "facts": {
    "raw": "x"
  }
}
`,
    );
  });

  it("writes what readManifest() and openDataset() read", async () => {
    assertEquals(await readManifest(store, RUN_ID, "clean"), undefined);
    const manifest = await publish([await writePart(0, []), await writePart(1, ["1,2", "3,4"])]);
    assertEquals([manifest.rows, manifest.bytes], [2, 4 + 12]);
    assertEquals(await readManifest(store, RUN_ID, "clean"), manifest);
    assertEquals(await openDataset(store, RUN_ID, "clean"), manifest);
  });
});

describe("fingerprint()", () => {
  it("depends on names, rows, bytes, checksums and order", () => {
    const [one, two]: [Part, Part] = [
      { name: "part-00000.csv", rows: 1, bytes: 2, sha256: "a" },
      { name: "part-00001.csv", rows: 1, bytes: 2, sha256: "a" },
    ];
    const variants = [
      [],
      [one],
      [two],
      [one, two],
      [two, one],
      [{ ...one, rows: 2 }],
      [{ ...one, bytes: 3 }],
      [{
        ...one,
        sha256: "b",
      }],
    ];
    assertEquals(new Set(variants.map(fingerprint)).size, variants.length);
  });
});

describe("clearDataset()", () => {
  it("removes the manifest and all files except those to keep", async () => {
    await publish([await writePart(0, []), await writePart(1, [])]);
    await clearDataset(store, FOLDER, (name) => name === partName(1));
    assertEquals(await store.list(FOLDER), [partName(1)]);
    await clearDataset(store, FOLDER);
    assertEquals(await store.list(FOLDER), []);
    await clearDataset(store, datasetFolder("other", "raw"));
  });
});

describe("requests to the store", () => {
  const PARTS = Array.from({ length: 40 }, (_, index) => index);

  it("openDataset() checks at most 16 parts at a time, and reports the first that is wrong", async () => {
    await publish(await Promise.all(PARTS.map((index) => writePart(index, [`${index},1`]))));
    const size = countConcurrent((path) => store.size(path));
    const counted = withMethod("size", size.call);
    assertEquals((await openDataset(counted, RUN_ID, "clean")).rows, 40);
    assertEquals(size.max(), 16);
    for (const index of [30, 7]) await store.remove(`${FOLDER}/${partName(index)}`);
    await assertRejects(() => openDataset(counted, RUN_ID, "clean"), SalesflowError, partName(7));
  });

  it("clearDataset() removes the manifest first, then at most 16 parts at a time", async () => {
    await publish(await Promise.all(PARTS.map((index) => writePart(index, []))));
    const removed: string[] = [];
    const remove = countConcurrent((path) => {
      removed.push(path);
      return store.remove(path);
    });
    await clearDataset(withMethod("remove", remove.call), FOLDER, (name) => name === partName(3));
    assertEquals([removed[0], removed.length, remove.max()], [MANIFEST, 40, 16]);
    assertEquals(await store.list(FOLDER), [partName(3)]);
  });

  it("clearDataset() throws the first error, and removes no more parts after it", async () => {
    await Promise.all(PARTS.map((index) => writePart(index, [])));
    let removals = 0;
    const remove = (path: string) => {
      if (path === MANIFEST) return Promise.resolve();
      removals++;
      return Promise.reject(new Error("not allowed"));
    };
    await assertRejects(() => clearDataset(withMethod("remove", remove), FOLDER), Error, "not allowed");
    assert(removals <= 16, `${removals} removals`);
  });
});

describe("openDataset()", () => {
  it("throws an error with the command that creates a missing dataset", async () => {
    const remedies: ["raw" | "clean" | "rejected", string][] = [
      ["raw", "salesflow generate --run-id test"],
      ["clean", "salesflow clean --run-id test"],
      ["rejected", "salesflow clean --run-id test"],
    ];
    for (const [dataset, remedy] of remedies) {
      const error = await assertRejects(
        () => openDataset(store, RUN_ID, dataset),
        SalesflowError,
        `no ${dataset} data`,
      );
      assertStringIncludes(error.remedy!, remedy);
      assertEquals(error.runId, RUN_ID);
    }
    const error = await assertRejects(() => openDataset(store, RUN_ID, "raw"), SalesflowError);
    assertStringIncludes(error.remedy!, "ingest");
  });

  it("rejects a dataset with parts that have another size or are missing", async () => {
    await publish([await writePart(0, ["1,2"]), await writePart(1, ["3,4"])]);
    await Deno.writeTextFile(`${testStore.folder}/${FOLDER}/part-00001.csv`, "a,b\n3,4\n5");
    const error = await assertRejects(() => openDataset(store, RUN_ID, "clean"), SalesflowError);
    assertStringIncludes(error.message, "part-00001.csv holds 9 bytes, the manifest says 8");
    await store.remove(`${FOLDER}/part-00001.csv`);
    await assertRejects(() => openDataset(store, RUN_ID, "clean"), SalesflowError, "holds no bytes");
  });

  const changes: [name: string, change: (manifest: Manifest) => unknown][] = [
    ["is not JSON", () => "{"],
    ["has another format", (manifest) => ({ ...manifest, format: 2 })],
    ["lacks a key", ({ facts: _, ...rest }) => rest],
    ["has another fingerprint", (manifest) => ({ ...manifest, fingerprint: "0".repeat(64) })],
    ["has another number of rows", (manifest) => ({ ...manifest, rows: 3 })],
    ["has another number of bytes", (manifest) => ({ ...manifest, bytes: 3 })],
    ["lacks a part", (manifest) => ({ ...manifest, parts: manifest.parts.slice(1) })],
    ["names a part outside the folder", (manifest) => renamePart(manifest, "../../../etc/passwd")],
    ["names a part in a subfolder", (manifest) => renamePart(manifest, "x/part-00000.csv")],
    ["names a part twice", (manifest) => renamePart(manifest, "part-00001.csv")],
    [
      "has a negative number of rows",
      (manifest) => ({ ...manifest, parts: [{ ...manifest.parts[0], rows: -1 }] }),
    ],
  ];
  function renamePart(manifest: Manifest, name: string): unknown {
    const parts = manifest.parts.map((part, index) => index === 0 ? { ...part, name } : part);
    return { ...manifest, parts, fingerprint: fingerprint(parts) };
  }
  for (const [name, change] of changes) {
    it(`rejects a manifest that ${name}`, async () => {
      const changed = change(await publish([await writePart(0, ["1,2"]), await writePart(1, ["3,4"])]));
      await store.writeText(MANIFEST, typeof changed === "string" ? changed : JSON.stringify(changed));
      const error = await assertRejects(
        () => openDataset(store, RUN_ID, "clean"),
        SalesflowError,
        "Cannot parse",
      );
      assertStringIncludes(error.message, MANIFEST);
      assertStringIncludes(error.remedy!, "again");
    });
  }
});

describe("checkAsOf()", () => {
  const run = { runId: RUN_ID, stage: "load" };

  it("accepts missing datasets and those with the date of the run", async () => {
    checkAsOf([undefined, await publish([])], { ...run, asOf: AS_OF });
  });

  it("rejects a dataset with another date, with exit code 2", async () => {
    const manifest = await publish([]);
    const error = assertThrows(
      () => checkAsOf([undefined, manifest], { ...run, asOf: "2026-11-17" }),
      SalesflowError,
      `clean/ of run ${RUN_ID} is as of ${AS_OF}, not 2026-11-17`,
    );
    assertEquals([error.exitCode, error.stage, error.runId], [2, "load", RUN_ID]);
  });
});

describe("sourceLine()", () => {
  const parts = [0, 1].map((index) => ({ name: partName(index), rows: 0, bytes: 0, sha256: "" }));
  const raw = (facts: Record<string, unknown>) =>
    makeManifest({ dataset: "raw", runId: RUN_ID, asOf: AS_OF, engine: "native", facts }, parts);

  it("returns the export of an ingested part", () => {
    const found = sourceLine(raw({ files: ["a.csv", "b.csv"] }), partName(1), 7);
    assertEquals(found, { file: "b.csv", line: 7 });
  });

  it("returns the name of the part when no export is known", () => {
    for (const facts of [{}, { files: [] }, { files: [7, 8] }]) {
      assertEquals(sourceLine(raw(facts), partName(1), 7), { file: partName(1), line: 7 });
    }
  });

  it("counts lines as the export does when it has no header", () => {
    const found = sourceLine(raw({ files: ["a.csv", "b.jsonl"], line_offsets: [0, 1] }), partName(1), 7);
    assertEquals(found, { file: "b.jsonl", line: 6 });
  });
});
