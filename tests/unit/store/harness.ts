/** A store in a temporary folder, and helpers to run stages on it. */
import { createHash } from "node:crypto";
import type { StageContext } from "../../../lib/pipeline/stage.ts";
import { SALE_HEADER } from "../../../lib/domain/sale.ts";
import {
  type DatasetName,
  makeManifest,
  type Manifest,
  openDataset,
  partName,
} from "../../../lib/dataset/dataset.ts";
import { openStore } from "../../../lib/store/open_store.ts";
import type { Store } from "../../../lib/store/store.ts";

/** Default run of tests. */
export const RUN_ID = "test";
/** Default as-of date of tests. */
export const AS_OF = "2026-11-24";

/** A store in a temporary folder. */
export interface TestStore {
  folder: string;
  store: Store;
  /** Removes the folder. */
  remove(): Promise<void>;
}

/** Creates a store in a temporary folder. */
export async function makeTestStore(): Promise<TestStore> {
  const folder = await Deno.makeTempDir({ prefix: "salesflow-test-" });
  return { folder, store: openStore(folder), remove: () => Deno.remove(folder, { recursive: true }) };
}

/** Returns the context of a stage that uses no database. */
export function makeContext(store: Store, changes: Partial<StageContext> = {}): StageContext {
  const signal = new AbortController().signal;
  const urls = { postgresUrl: "", clickhouseUrl: "" };
  return { runId: RUN_ID, asOf: AS_OF, store, signal, progress() {}, ...urls, ...changes };
}

const encoder = new TextEncoder();

/** Encodes text; returns bytes unchanged. */
export function toBytes(content: string | Uint8Array): Uint8Array {
  return typeof content === "string" ? encoder.encode(content) : content;
}

/** Concatenates bytes and texts. */
export function joinBytes(pieces: readonly (string | Uint8Array)[]): Uint8Array {
  const chunks = pieces.map(toBytes);
  const joined = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    joined.set(chunk, offset);
    offset += chunk.length;
  }
  return joined;
}

/** Counts the data rows of a raw part without code of the project: lines that are not blank, minus the header. */
export function countRows(bytes: Uint8Array): number {
  let text = "";
  for (let offset = 0; offset < bytes.length; offset += 8192) {
    text += String.fromCharCode(...bytes.subarray(offset, offset + 8192));
  }
  const blank = /^(?:[ \t]|\xc2\xa0|\xe2\x80\xaf)*\r?$/;
  return text.split("\n").filter((line) => !blank.test(line)).length - 1;
}

/** Writes a raw dataset with one part, of the header and a body, for each of `bodies`. */
export async function writeRawDataset(
  store: Store,
  bodies: readonly (string | Uint8Array)[],
  { runId = RUN_ID, asOf = AS_OF, header = `${SALE_HEADER}\n`, facts = {} }: {
    runId?: string;
    asOf?: string;
    header?: string;
    /** Besides `source` and `files`. */
    facts?: Record<string, unknown>;
  } = {},
): Promise<Manifest> {
  const folder = `runs/${runId}/raw`;
  const parts = [];
  for (const [index, body] of bodies.entries()) {
    const bytes = joinBytes([header, body]);
    const writer = await store.create(`${folder}/${partName(index)}`);
    await writer.write(bytes);
    await writer.close();
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    parts.push({ name: partName(index), rows: countRows(bytes), bytes: bytes.length, sha256 });
  }
  const allFacts = { source: "ingested", files: [], ...facts };
  const manifest = makeManifest({ dataset: "raw", runId, asOf, engine: "native", facts: allFacts }, parts);
  await store.writeText(`${folder}/manifest.json`, JSON.stringify(manifest, null, 2) + "\n");
  return manifest;
}

/** Reads a file. */
export async function readFile(store: Store, path: string): Promise<Uint8Array> {
  return await store.read(path, 0, await store.size(path) ?? 0);
}

/** Reads the data lines of all parts of a dataset, in order. Checks the header of each part. */
export async function readRows(
  store: Store,
  dataset: DatasetName,
  { runId = RUN_ID, header = SALE_HEADER } = {},
): Promise<string[]> {
  const rows: string[] = [];
  for (const { name } of (await openDataset(store, runId, dataset)).parts) {
    const bytes = await readFile(store, `runs/${runId}/${dataset}/${name}`);
    const lines = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true }).decode(bytes).split("\n");
    if (lines.shift() !== header) throw new Error(`${name} does not begin with ${header}`);
    if (lines.pop() !== "") throw new Error(`${name} does not end with a line feed`);
    for (const line of lines) rows.push(line);
  }
  return rows;
}

/** Computes the SHA-256 in hexadecimal. */
export function sha256(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}
