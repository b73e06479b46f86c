/** What load reads from the store: checked to belong together before anything is sent to the database. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { SalesflowError } from "../errors.ts";
import { readRun } from "../pipeline/records.ts";
import type { StageContext } from "../pipeline/stage.ts";
import {
  datasetFolder,
  type DatasetName,
  findDataset,
  type Manifest,
  openDataset,
  type Part,
} from "../store/dataset.ts";
import type { Store } from "../store/store.ts";

const count = z.number().int().nonnegative();
const cleanFactsSchema = z.object({
  rows_in: count,
  rows_out: count,
  duplicates: count,
  rejected: count,
  rejected_by_reason: z.record(z.string(), count),
  raw: z.string(),
  rejects: z.string(),
});

/** Everything that one run brings to PostgreSQL. */
export interface LoadSource {
  store: Store;
  runId: string;
  source: "generated" | "ingested";
  clean: Manifest;
  rejected: Manifest;
  facts: z.infer<typeof cleanFactsSchema>;
  /** Path of the catalogue; undefined when the run has none. */
  productsPath: string | undefined;
}

/** @throws {SalesflowError} when a dataset is missing or does not belong to the others */
export async function openSource({ store, runId }: StageContext): Promise<LoadSource> {
  const [run, clean, rejected, raw] = await Promise.all([
    readRun(store, runId),
    openDataset(store, runId, "clean"),
    openDataset(store, runId, "rejected"),
    findDataset(store, runId, "raw"),
  ]);
  const again = `Run "salesflow clean --run-id ${runId}" again.`;
  const refuse = (message: string, remedy = again, cause?: unknown) =>
    new SalesflowError(message, { stage: "load", runId, remedy, cause });
  if (!run) {
    throw refuse(`There is no run.json of run ${runId} in ${store.url}`, "Run generate or ingest first.");
  }
  const facts = cleanFactsSchema.safeParse(clean.facts);
  if (!facts.success) {
    throw refuse(`The facts in clean/manifest.json of run ${runId} cannot be understood`, again, facts.error);
  }
  const { rows_in, rows_out, duplicates, rejected: refused, raw: rawFingerprint, rejects } = facts.data;
  if (rows_in !== rows_out + duplicates + refused || rows_out !== clean.rows || refused !== rejected.rows) {
    throw refuse(
      `The counts of run ${runId} do not add up: ${rows_in} rows in, ${rows_out} out (${clean.rows} in clean/), ` +
        `${duplicates} duplicates, ${refused} rejected (${rejected.rows} in rejected/)`,
    );
  }
  if (rejects !== rejected.fingerprint) {
    throw refuse(`rejected/ of run ${runId} was not made together with clean/`);
  }
  if (raw && raw.fingerprint !== rawFingerprint) {
    throw refuse(`clean/ of run ${runId} was made from other data than raw/ holds`);
  }
  const productsPath = `${datasetFolder(runId, "raw")}/products.csv`;
  const hasProducts = await store.size(productsPath) !== undefined;
  return {
    store,
    runId,
    source: run.source,
    clean,
    rejected,
    facts: facts.data,
    productsPath: hasProducts ? productsPath : undefined,
  };
}

/**
 * The bytes of a part, checked as they pass.
 *
 * @throws {SalesflowError} at the end, when they are not the bytes that the manifest describes
 */
export async function* partBytes(
  { store, runId }: Pick<LoadSource, "store" | "runId">,
  dataset: DatasetName,
  part: Part,
): AsyncGenerator<Uint8Array> {
  const path = `${datasetFolder(runId, dataset)}/${part.name}`;
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of await store.stream(path)) {
    hash.update(chunk);
    bytes += chunk.length;
    yield chunk;
  }
  const sha256 = hash.digest("hex");
  if (bytes === part.bytes && sha256 === part.sha256) return;
  throw new SalesflowError(
    `${store.url}/${path} is damaged: it holds ${bytes} bytes with SHA-256 ${
      sha256.slice(0, 12)
    }…, the manifest says ` +
      `${part.bytes} and ${part.sha256.slice(0, 12)}…`,
    { runId, remedy: `Run "salesflow clean --run-id ${runId}" again.` },
  );
}
