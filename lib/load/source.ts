/** What load reads from the store: checked to belong together before anything is sent to the database. */
import { SalesflowError } from "../console/errors.ts";
import { readRun } from "../pipeline/records.ts";
import type { StageContext } from "../pipeline/stage.ts";
import {
  checkAsOf,
  datasetFolder,
  type DatasetName,
  findDataset,
  type Manifest,
  openDataset,
  type Part,
} from "../dataset/dataset.ts";
import { type CleanFacts, cleanFacts, generatedFacts } from "../dataset/facts.ts";
import { type Measure, measuredBytes, shortSha256 } from "../dataset/part_reader.ts";
import type { Store } from "../store/store.ts";

/** Everything that one run brings to PostgreSQL. */
export interface LoadSource {
  store: Store;
  runId: string;
  source: "generated" | "ingested";
  clean: Manifest;
  rejected: Manifest;
  facts: CleanFacts;
  /** Whether the run has a catalogue. */
  hasProducts: boolean;
  /** Of the catalogue; undefined when nobody took it. */
  productsSha256: string | undefined;
}

/** @throws {SalesflowError} when a dataset is missing or does not belong to the others */
export async function openSource({ store, runId, asOf }: StageContext): Promise<LoadSource> {
  const [run, clean, rejected, raw] = await Promise.all([
    readRun(store, runId),
    openDataset(store, runId, "clean"),
    openDataset(store, runId, "rejected"),
    findDataset(store, runId, "raw"),
  ]);
  const again = `Run "salesflow clean --run-id ${runId}" again.`;
  const refuse = (message: string, remedy = again) =>
    new SalesflowError(message, { stage: "load", runId, remedy });
  if (!run) {
    throw refuse(`There is no run.json of run ${runId} in ${store.url}`, "Run generate or ingest first.");
  }
  checkAsOf([raw, clean, rejected], { runId, asOf, stage: "load" });
  const facts = cleanFacts(clean, "load");
  const { rows_in, rows_out, duplicates, rejected: refused, raw: rawFingerprint, rejects } = facts;
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
  const generated = raw && generatedFacts(raw, "load");
  const hasProducts = await store.size(productsPath(runId)) !== undefined;
  if (generated && !hasProducts) {
    throw refuse(`There is no ${productsPath(runId)} in ${store.url}`, generateAgain(runId));
  }
  const productsSha256 = generated?.products_sha256;
  return { store, runId, source: run.source, clean, rejected, facts, hasProducts, productsSha256 };
}

function productsPath(runId: string): string {
  return `${datasetFolder(runId, "raw")}/products.csv`;
}

function generateAgain(runId: string): string {
  return `Run "salesflow generate --run-id ${runId}" again.`;
}

/** The bytes of a file, checked as they pass: `check` says what is wrong with their measure, if anything. */
async function* checkedBytes(
  { store, runId }: Pick<LoadSource, "store" | "runId">,
  path: string,
  check: (found: Measure) => string | undefined,
  remedy: string,
): AsyncGenerator<Uint8Array> {
  const wrong = check(yield* measuredBytes(store, path));
  if (wrong === undefined) return;
  throw new SalesflowError(`${store.url}/${path} is damaged: ${wrong}`, { runId, remedy });
}

/**
 * The bytes of a part, checked as they pass.
 *
 * @throws {SalesflowError} at the end, when they are not the bytes that the manifest describes
 */
export function partBytes(
  source: Pick<LoadSource, "store" | "runId">,
  dataset: DatasetName,
  part: Part,
): AsyncGenerator<Uint8Array> {
  const path = `${datasetFolder(source.runId, dataset)}/${part.name}`;
  const check = ({ bytes, sha256 }: Measure) =>
    bytes === part.bytes && sha256 === part.sha256
      ? undefined
      : `it holds ${bytes} bytes with SHA-256 ${shortSha256(sha256)}, the manifest says ` +
        `${part.bytes} and ${shortSha256(part.sha256)}`;
  return checkedBytes(source, path, check, `Run "salesflow clean --run-id ${source.runId}" again.`);
}

/**
 * The bytes of the catalogue, checked as they pass.
 *
 * @throws {SalesflowError} at the end, when they are not the bytes that were generated
 */
export function productsBytes(source: LoadSource): AsyncGenerator<Uint8Array> {
  const { runId, productsSha256: said } = source;
  const check = ({ sha256 }: Measure) =>
    said === undefined || sha256 === said
      ? undefined
      : `its SHA-256 is ${shortSha256(sha256)}, the manifest of raw/ says ${shortSha256(said)}`;
  return checkedBytes(source, productsPath(runId), check, generateAgain(runId));
}
