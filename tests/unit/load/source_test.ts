import { assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import { SalesflowError } from "../../../lib/console/errors.ts";
import { openSource, readPart, readProducts } from "../../../lib/load/source.ts";
import type { StageContext } from "../../../lib/pipeline/stage.ts";
import { openStore } from "../../../lib/store/open_store.ts";
import type { Store } from "../../../lib/store/store.ts";
import {
  changeText,
  forgePart,
  makeSales,
  type RunFiles,
  writeRunFiles,
} from "../../integration/tables/harness.ts";

const FILES: RunFiles = {
  runId: "run",
  source: "generated",
  parts: [makeSales(3), makeSales(2, { from: 4 })],
  rejected: [[0, 5, "malformed_row", "broken"]],
  duplicates: 1,
  products: ["1,Tea,Food,1.00,2.00"],
};

describe("lib/load/source.ts", () => {
  let folder: string;
  let store: Store;
  beforeAll(async () => {
    folder = await Deno.makeTempDir({ prefix: "salesflow-load-" });
    store = openStore(folder);
  });
  afterAll(() => Deno.remove(folder, { recursive: true }));
  beforeEach(async () => {
    await store.remove("runs/run");
    await writeRunFiles(store, FILES);
  });

  function context(asOf = "2026-11-24"): StageContext {
    const signal = new AbortController().signal;
    return { runId: "run", asOf, store, signal, progress() {}, postgresUrl: "", clickhouseUrl: "" };
  }

  async function readText(chunks: AsyncIterable<Uint8Array>): Promise<string> {
    return await new Response(ReadableStream.from(chunks)).text();
  }

  it("openSource() returns the datasets of a generated run with its catalogue", async () => {
    const { source, clean, rejected, facts, productColumns, productsSha256 } = await openSource(context());
    assertEquals([source, clean.rows, rejected.rows, facts.duplicates], ["generated", 5, 1, 1]);
    assertEquals([productColumns?.length, productsSha256?.length], [5, 64]);
  });

  it("openSource() accepts an ingested run without raw/ and without a catalogue", async () => {
    const { products: _, ...files } = FILES;
    await writeRunFiles(store, { ...files, source: "ingested" });
    await store.remove("runs/run/raw");
    const { source, productColumns, productsSha256 } = await openSource(context());
    assertEquals([source, productColumns, productsSha256], ["ingested", undefined, undefined]);
  });

  it("openSource() throws with exit code 2 for an as-of date other than the run's", async () => {
    const error = await assertRejects(() => openSource(context("2026-11-17")), SalesflowError, "is as of");
    assertEquals(error.exitCode, 2);
  });

  const faults: { name: string; message: string; damage: () => Promise<unknown> }[] = [
    {
      name: "run.json is missing",
      message: "There is no run.json of run run",
      damage: () => store.remove("runs/run/run.json"),
    },
    {
      name: "the counts do not add up",
      message: "7 rows in, 5 out (5 in clean/), 2 duplicates, 1 rejected (1 in rejected/)",
      damage: () =>
        changeText(
          store,
          "runs/run/clean/manifest.json",
          (text) => text.replace('"duplicates": 1', '"duplicates": 2'),
        ),
    },
    {
      name: "rejected/ was written by another clean",
      message: "rejected/ and clean/ of run run were not written together",
      damage: () => forgePart(store, "run", "rejected", (text) => text.replace("broken", "other")),
    },
    {
      name: "raw/ was written after clean/",
      message: "clean/ of run run was made from different data than raw/ holds",
      damage: () => forgePart(store, "run", "raw", (text) => text.replace("North", "south")),
    },
    {
      name: "raw/ was ingested with another on_conflict after clean/",
      message:
        "clean/ of run run keeps the first of conflicting sales, but raw/ was ingested with on_conflict: last",
      damage: () =>
        changeText(
          store,
          "runs/run/raw/manifest.json",
          (text) => text.replace('"facts": {', '"facts": { "on_conflict": "last",'),
        ),
    },
    {
      name: "a generated run has no catalogue",
      message: "There is no runs/run/raw/products.csv",
      damage: () => store.remove("runs/run/raw/products.csv"),
    },
  ];
  for (const { name, message, damage } of faults) {
    it(`openSource() throws with a remedy when ${name}`, async () => {
      await damage();
      const error = await assertRejects(() => openSource(context()), SalesflowError, message);
      assertEquals([error.exitCode, error.stage, error.runId], [1, "load", "run"]);
      assertEquals(/generate|clean/.test(error.remedy!), true);
    });
  }

  it("openSource() throws when clean/ is missing", async () => {
    await store.remove("runs/run/clean");
    await assertRejects(() => openSource(context()), SalesflowError, "clean");
  });

  it("readPart() yields the bytes of a part, and throws at the end when they differ from the manifest", async () => {
    const source = await openSource(context());
    const part = source.clean.parts[1]!;
    const path = "runs/run/clean/part-00001.csv";
    const text = (await store.readText(path))!;
    assertEquals(await readText(readPart(source, "clean", part)), text);
    await store.writeText(path, text.replace("0.01", "0.09"));
    await assertRejects(
      () => readText(readPart(source, "clean", part)),
      SalesflowError,
      "clean/part-00001.csv is damaged",
    );
  });

  it("readProducts() yields the bytes of the catalogue, and throws at the end when they differ from the manifest", async () => {
    const source = await openSource(context());
    const path = "runs/run/raw/products.csv";
    assertEquals(await readText(readProducts(source)), (await store.readText(path))!);
    await changeText(store, path, (text) => text.replace("Tea", "Tee"));
    await assertRejects(() => readText(readProducts(source)), SalesflowError, "products.csv is damaged");
    // A manifest of an older version has no checksum of the catalogue.
    await readText(readProducts({ ...source, productsSha256: undefined }));
  });
});
