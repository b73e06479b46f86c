import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { afterAll, beforeEach, describe, it } from "@std/testing/bdd";
import { SalesflowError } from "../../../lib/console/errors.ts";
import {
  beginDataset,
  datasetFolder,
  findDataset,
  fingerprint,
  type Manifest,
  openDataset,
  type Part,
  partName,
  publishDataset,
} from "../../../lib/dataset/dataset.ts";
import { PartWriter } from "../../../lib/dataset/part_writer.ts";
import type { Store, StoreWriter } from "../../../lib/store/store.ts";
import { AS_OF, makePlace, RUN_ID, sha256, toBytes } from "../store/harness.ts";

const place = await makePlace();
const { store } = place;
const FOLDER = datasetFolder(RUN_ID, "clean");
const MANIFEST = `${FOLDER}/manifest.json`;
afterAll(() => place.remove());
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

/** The same store with one method replaced. */
function withMethod<Name extends keyof Store>(name: Name, method: Store[Name]): Store {
  return new Proxy(store, {
    get(target, asked) {
      if (asked === name) return method;
      const value = Reflect.get(target, asked);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** Counts calls that are under way at a time; each ends when the loop has come round a few times. */
function counting<T>(work: (path: string) => Promise<T>): { most: () => number; call: typeof work } {
  let [under, most] = [0, 0];
  const call = async (path: string) => {
    most = Math.max(most, ++under);
    await new Promise((resolve) => setTimeout(resolve));
    return await work(path).finally(() => under--);
  };
  return { most: () => most, call };
}

describe("PartWriter", () => {
  it("leaves nothing open when its header cannot be written", async () => {
    let aborted = 0;
    const writer: StoreWriter = {
      write: () => Promise.reject(new Error("the disk is full")),
      close: () => Promise.resolve(),
      abort: () => Promise.resolve(void aborted++),
    };
    const full = withMethod("create", () => Promise.resolve(writer));
    await assertRejects(() => PartWriter.create(full, FOLDER, partName(0), "a,b"), Error, "disk is full");
    assertEquals(aborted, 1);
  });

  it("writes the header and takes the measure of what it writes", async () => {
    const part = await writePart(3, ["1,2", "3,я"]);
    const content = "a,b\n1,2\n3,я\n";
    assertEquals(part, { name: "part-00003.csv", rows: 2, bytes: 13, sha256: sha256(content) });
    assertEquals(await store.readText(`${FOLDER}/part-00003.csv`), content);
  });

  it("leaves nothing after abort()", async () => {
    const writer = await PartWriter.create(store, FOLDER, partName(0), "a");
    await writer.abort();
    assertEquals(await store.list(FOLDER), []);
  });
});

describe("publishDataset()", () => {
  it("writes the manifest of the contract, to the byte", async () => {
    const part = await writePart(0, ["1,2"]);
    await publish([part]);
    const mark = sha256(`part-00000.csv\t1\t8\t${part.sha256}\n`);
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
  "fingerprint": "${mark}",
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

  it("is what findDataset() and openDataset() read", async () => {
    assertEquals(await findDataset(store, RUN_ID, "clean"), undefined);
    const manifest = await publish([await writePart(0, []), await writePart(1, ["1,2", "3,4"])]);
    assertEquals([manifest.rows, manifest.bytes], [2, 4 + 12]);
    assertEquals(await findDataset(store, RUN_ID, "clean"), manifest);
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

describe("beginDataset()", () => {
  it("empties the folder but for what is to be kept, the manifest always", async () => {
    await publish([await writePart(0, []), await writePart(1, [])]);
    await beginDataset(store, FOLDER, (name) => name === partName(1));
    assertEquals(await store.list(FOLDER), [partName(1)]);
    await beginDataset(store, FOLDER);
    assertEquals(await store.list(FOLDER), []);
    await beginDataset(store, datasetFolder("other", "raw"));
  });
});

describe("round trips to the store", () => {
  const PARTS = Array.from({ length: 40 }, (_, index) => index);

  it("openDataset() looks at some parts at a time, and names the first that is wrong", async () => {
    await publish(await Promise.all(PARTS.map((index) => writePart(index, [`${index},1`]))));
    const size = counting((path) => store.size(path));
    const counted = withMethod("size", size.call);
    assertEquals((await openDataset(counted, RUN_ID, "clean")).rows, 40);
    assertEquals(size.most(), 16);
    for (const index of [30, 7]) await store.remove(`${FOLDER}/${partName(index)}`);
    await assertRejects(() => openDataset(counted, RUN_ID, "clean"), SalesflowError, partName(7));
  });

  it("beginDataset() removes some parts at a time, after the manifest", async () => {
    await publish(await Promise.all(PARTS.map((index) => writePart(index, []))));
    const removed: string[] = [];
    const remove = counting((path) => {
      removed.push(path);
      return store.remove(path);
    });
    await beginDataset(withMethod("remove", remove.call), FOLDER, (name) => name === partName(3));
    assertEquals([removed[0], removed.length, remove.most()], [MANIFEST, 40, 16]);
    assertEquals(await store.list(FOLDER), [partName(3)]);
  });

  it("beginDataset() begins nothing more after an error, which it reports", async () => {
    await Promise.all(PARTS.map((index) => writePart(index, [])));
    let asked = 0;
    const remove = (path: string) => {
      if (path === MANIFEST) return Promise.resolve();
      asked++;
      return Promise.reject(new Error("not allowed"));
    };
    await assertRejects(() => beginDataset(withMethod("remove", remove), FOLDER), Error, "not allowed");
    assert(asked <= 16, `${asked} removals`);
  });
});

describe("openDataset()", () => {
  it("says how to make what is missing", async () => {
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

  it("refuses a dataset whose parts have another size or are gone", async () => {
    await publish([await writePart(0, ["1,2"]), await writePart(1, ["3,4"])]);
    await Deno.writeTextFile(`${place.folder}/${FOLDER}/part-00001.csv`, "a,b\n3,4\n5");
    const error = await assertRejects(() => openDataset(store, RUN_ID, "clean"), SalesflowError);
    assertStringIncludes(error.message, "part-00001.csv holds 9 bytes, the manifest says 8");
    await store.remove(`${FOLDER}/part-00001.csv`);
    await assertRejects(() => openDataset(store, RUN_ID, "clean"), SalesflowError, "holds no bytes");
  });

  const changes: [what: string, change: (manifest: Manifest) => unknown][] = [
    ["is no JSON", () => "{"],
    ["is of another format", (manifest) => ({ ...manifest, format: 2 })],
    ["lacks a key", ({ facts: _, ...rest }) => rest],
    ["has another fingerprint", (manifest) => ({ ...manifest, fingerprint: "0".repeat(64) })],
    ["counts other rows", (manifest) => ({ ...manifest, rows: 3 })],
    ["counts other bytes", (manifest) => ({ ...manifest, bytes: 3 })],
    ["lacks a part", (manifest) => ({ ...manifest, parts: manifest.parts.slice(1) })],
    ["names a part outside the folder", (manifest) => rename(manifest, "../../../etc/passwd")],
    ["names a part in a folder below", (manifest) => rename(manifest, "x/part-00000.csv")],
    ["names a part twice", (manifest) => rename(manifest, "part-00001.csv")],
    [
      "has a negative number of rows",
      (manifest) => ({ ...manifest, parts: [{ ...manifest.parts[0], rows: -1 }] }),
    ],
  ];
  function rename(manifest: Manifest, name: string): unknown {
    const parts = manifest.parts.map((part, index) => index === 0 ? { ...part, name } : part);
    return { ...manifest, parts, fingerprint: fingerprint(parts) };
  }
  for (const [what, change] of changes) {
    it(`refuses a manifest that ${what}`, async () => {
      const changed = change(await publish([await writePart(0, ["1,2"]), await writePart(1, ["3,4"])]));
      await store.writeText(MANIFEST, typeof changed === "string" ? changed : JSON.stringify(changed));
      const error = await assertRejects(
        () => openDataset(store, RUN_ID, "clean"),
        SalesflowError,
        "Cannot understand",
      );
      assertStringIncludes(error.message, MANIFEST);
      assertStringIncludes(error.remedy!, "again");
    });
  }
});
