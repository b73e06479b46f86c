/** Measures the files of a run again from their bytes. */
import type { StageContext } from "../pipeline/stage.ts";
import {
  datasetFolder,
  type DatasetName,
  type Manifest,
  openDataset,
  type Part,
} from "../dataset/dataset.ts";
import { type Measure, measureFile } from "../dataset/part_reader.ts";
import type { Findings } from "./checks.ts";
import { LineCounter } from "./line_counter.ts";
import { addSums, SalesAccumulator, type SalesSum } from "./sales_sum.ts";

/** Adds a check only when the part differs from its manifest. */
function comparePart(
  findings: Findings,
  dataset: string,
  part: Part,
  found: { rows: number } & Measure,
) {
  const format = ({ rows, bytes, sha256 }: typeof found) =>
    `${rows} rows, ${bytes} bytes, ${sha256.slice(0, 12)}`;
  if (part.rows === found.rows && part.bytes === found.bytes && part.sha256 === found.sha256) return;
  findings.compare(`${dataset}/${part.name}: manifest = file`, format(part), format(found));
}

/** Compares rows, size and checksum of each part of a dataset with its manifest. */
async function countDataset(
  { store, runId, signal }: StageContext,
  dataset: DatasetName,
  findings: Findings,
): Promise<Manifest> {
  const manifest = await openDataset(store, runId, dataset);
  let rows = 0;
  for (const part of manifest.parts) {
    const lines = new LineCounter();
    const path = `${datasetFolder(runId, dataset)}/${part.name}`;
    const measure = await measureFile(store, path, (bytes) => lines.write(bytes), signal);
    const partRows = Math.max(0, lines.finish() - 1);
    comparePart(findings, dataset, part, { rows: partRows, ...measure });
    rows += partRows;
  }
  findings.compare(`rows: ${dataset}/manifest.json = ${dataset}/ recounted`, manifest.rows, rows);
  return manifest;
}

/** Does the same for clean/, and sums its rows. */
async function sumClean(
  { store, runId, signal, progress }: StageContext,
  findings: Findings,
): Promise<[Manifest, SalesSum]> {
  const manifest = await openDataset(store, runId, "clean");
  let sum: SalesSum = { rows: 0, quantity: 0n, cents: 0n, checksum: 0n };
  for (const part of manifest.parts) {
    const path = `${datasetFolder(runId, "clean")}/${part.name}`;
    const accumulator = new SalesAccumulator(`${store.url}/${path}`);
    const measure = await measureFile(store, path, (bytes) => accumulator.write(bytes), signal);
    const partSum = accumulator.finish();
    comparePart(findings, "clean", part, { rows: partSum.rows, ...measure });
    sum = addSums(sum, partSum);
    progress(sum.rows, manifest.rows);
  }
  findings.compare("rows: clean/manifest.json = clean/ recounted", manifest.rows, sum.rows);
  return [manifest, sum];
}

/** The manifests of a run, and the sums of its clean rows. */
export interface MeasuredFiles {
  /** Manifest of raw/. */
  raw: Manifest;
  /** Manifest of clean/. */
  clean: Manifest;
  /** Manifest of rejected/. */
  rejected: Manifest;
  /** Sums of the rows in clean/. */
  sum: SalesSum;
}

/**
 * Measures all datasets of the run and compares them with their manifests.
 *
 * @throws {SalesflowError} when one is missing, or clean/ is not canonical
 */
export async function measureFiles(context: StageContext, findings: Findings): Promise<MeasuredFiles> {
  const raw = await countDataset(context, "raw", findings);
  const [clean, sum] = await sumClean(context, findings);
  const rejected = await countDataset(context, "rejected", findings);
  return { raw, clean, rejected, sum };
}
