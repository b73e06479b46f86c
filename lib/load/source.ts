/** The input of load in the store, checked for consistency before anything is sent to the database. */
import { SalesflowError } from "../console/errors.ts";
import { readRun } from "../pipeline/records.ts";
import type { StageContext } from "../pipeline/stage.ts";
import {
  checkAsOf,
  datasetFolder,
  type DatasetName,
  type Manifest,
  openDataset,
  type Part,
  readManifest,
} from "../dataset/dataset.ts";
import {
  type CleanFacts,
  parseCleanFacts,
  parseGeneratedFacts,
  parseOnConflict,
  parseProductsSha256,
} from "../dataset/facts.ts";
import { productsPath, readProductColumns } from "../dataset/products.ts";
import { type Measure, shortSha256, streamMeasured } from "../dataset/part_reader.ts";
import type { Store } from "../store/store.ts";

/** The files of one run that go to PostgreSQL. */
export interface LoadSource {
  /** Store with the files. */
  store: Store;
  /** Id of the run. */
  runId: string;
  /** Where the run's raw data came from. */
  source: "generated" | "ingested";
  /** Manifest of raw/; undefined when it was removed. */
  raw: Manifest | undefined;
  /** Manifest of clean/. */
  clean: Manifest;
  /** Manifest of rejected/. */
  rejected: Manifest;
  /** Facts of clean/. */
  facts: CleanFacts;
  /** Columns of the product catalogue; undefined when the run has none. */
  productColumns: readonly string[] | undefined;
  /** SHA-256 of the catalogue; undefined when the manifest of raw/ has none. */
  productsSha256: string | undefined;
}

/**
 * Opens the datasets of a run and checks that they belong together.
 *
 * @throws {SalesflowError} when a dataset is missing or does not match the others
 */
export async function openSource({ store, runId, asOf }: StageContext): Promise<LoadSource> {
  const [run, clean, rejected, raw] = await Promise.all([
    readRun(store, runId),
    openDataset(store, runId, "clean"),
    openDataset(store, runId, "rejected"),
    readManifest(store, runId, "raw"),
  ]);
  const cleanAgain = `Run "salesflow clean --run-id ${runId}" again.`;
  const inconsistent = (message: string, remedy = cleanAgain) =>
    new SalesflowError(message, { stage: "load", runId, remedy });
  if (!run) {
    throw inconsistent(
      `There is no run.json of run ${runId} in ${store.url}`,
      "Run generate or ingest first.",
    );
  }
  checkAsOf([raw, clean, rejected], { runId, asOf, stage: "load" });
  const facts = parseCleanFacts(clean, "load");
  const { rows_in, rows_out, duplicates, rejected: rejectedRows, raw: rawFingerprint, rejects } = facts;
  if (
    rows_in !== rows_out + duplicates + rejectedRows || rows_out !== clean.rows ||
    rejectedRows !== rejected.rows
  ) {
    throw inconsistent(
      `The counts of run ${runId} do not add up: ${rows_in} rows in, ${rows_out} out (${clean.rows} in clean/), ` +
        `${duplicates} duplicates, ${rejectedRows} rejected (${rejected.rows} in rejected/)`,
    );
  }
  if (rejects !== rejected.fingerprint) {
    throw inconsistent(`rejected/ and clean/ of run ${runId} were not written together`);
  }
  if (raw && raw.fingerprint !== rawFingerprint) {
    throw inconsistent(`clean/ of run ${runId} was made from different data than raw/ holds`);
  }
  const kept = parseOnConflict(clean, "load");
  const wanted = raw ? parseOnConflict(raw, "load") : kept;
  if (wanted !== kept) {
    throw inconsistent(
      `clean/ of run ${runId} keeps the ${kept} of conflicting sales, but raw/ was ingested with on_conflict: ${wanted}`,
    );
  }
  const generated = raw && parseGeneratedFacts(raw, "load");
  const productColumns = await readProductColumns(store, runId);
  const productsSha256 = raw && parseProductsSha256(raw);
  if (!productColumns && (generated || productsSha256 !== undefined)) {
    throw inconsistent(`There is no ${productsPath(runId)} in ${store.url}`, rawAgainRemedy(runId));
  }
  return { store, runId, source: run.source, raw, clean, rejected, facts, productColumns, productsSha256 };
}

function rawAgainRemedy(runId: string): string {
  return `Run generate, or ingest, of run ${runId} again.`;
}

/**
 * Yields the bytes of a file and checks them while they pass.
 *
 * @param check returns what is wrong with the file's size or checksum, if anything
 */
async function* readChecked(
  { store, runId }: Pick<LoadSource, "store" | "runId">,
  path: string,
  check: (found: Measure) => string | undefined,
  remedy: string,
): AsyncGenerator<Uint8Array> {
  const mismatch = check(yield* streamMeasured(store, path));
  if (mismatch === undefined) return;
  throw new SalesflowError(`${store.url}/${path} is damaged: ${mismatch}`, { runId, remedy });
}

/**
 * Yields the bytes of a part and checks them while they pass.
 *
 * @throws {SalesflowError} after the last byte, when size or checksum differ from the manifest
 */
export function readPart(
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
  return readChecked(source, path, check, `Run "salesflow clean --run-id ${source.runId}" again.`);
}

/**
 * Yields the bytes of the catalogue and checks them while they pass.
 *
 * @throws {SalesflowError} after the last byte, when the checksum differs from the manifest of raw/
 */
export function readProducts(source: LoadSource): AsyncGenerator<Uint8Array> {
  const { runId, productsSha256: expected } = source;
  const check = ({ sha256 }: Measure) =>
    expected === undefined || sha256 === expected
      ? undefined
      : `its SHA-256 is ${shortSha256(sha256)}, the manifest of raw/ says ${shortSha256(expected)}`;
  return readChecked(source, productsPath(runId), check, rawAgainRemedy(runId));
}
