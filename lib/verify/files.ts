/** The run's files, measured again from their bytes. */
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
import { LineCounter } from "./count_rows.ts";
import { addSales, type SalesSum, SalesSummer } from "./sales_sum.ts";

function comparePart(
  findings: Findings,
  dataset: string,
  part: Part,
  found: { rows: number } & Measure,
) {
  const words = ({ rows, bytes, sha256 }: typeof found) =>
    `${rows} rows, ${bytes} bytes, ${sha256.slice(0, 12)}`;
  if (part.rows === found.rows && part.bytes === found.bytes && part.sha256 === found.sha256) return;
  findings.compare(`${dataset}/${part.name}: manifest = file`, words(part), words(found));
}

/** Counts rows and checksums of all parts of a dataset. */
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

/** Sums the clean parts, and compares their rows and checksums with the manifest. */
async function sumClean(
  { store, runId, signal, progress }: StageContext,
  findings: Findings,
): Promise<[Manifest, SalesSum]> {
  const manifest = await openDataset(store, runId, "clean");
  let sum: SalesSum = { rows: 0, quantity: 0n, cents: 0n, checksum: 0n };
  for (const part of manifest.parts) {
    const path = `${datasetFolder(runId, "clean")}/${part.name}`;
    const summer = new SalesSummer(`${store.url}/${path}`);
    const measure = await measureFile(store, path, (bytes) => summer.write(bytes), signal);
    const own = summer.finish();
    comparePart(findings, "clean", part, { rows: own.rows, ...measure });
    sum = addSales(sum, own);
    progress(sum.rows, manifest.rows);
  }
  findings.compare("rows: clean/manifest.json = clean/ recounted", manifest.rows, sum.rows);
  return [manifest, sum];
}

/** What the files hold. */
export interface Files {
  raw: Manifest;
  clean: Manifest;
  rejected: Manifest;
  /** Sums over clean/. */
  sum: SalesSum;
}

/** Measures all datasets of the run. @throws {SalesflowError} when one is missing */
export async function measureFiles(context: StageContext, findings: Findings): Promise<Files> {
  const raw = await countDataset(context, "raw", findings);
  const [clean, sum] = await sumClean(context, findings);
  const rejected = await countDataset(context, "rejected", findings);
  return { raw, clean, rejected, sum };
}
