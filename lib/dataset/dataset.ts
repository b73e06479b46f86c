/**
 * Datasets: folders of CSV parts that exist when, and only when, their `manifest.json` does.
 * The manifest is removed before the first part changes and renamed into place after the last one is durable.
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import { SalesflowError } from "../console/errors.ts";
import type { IsoDate } from "../domain/dates.ts";
import { mapConcurrently } from "./map_concurrently.ts";
import type { Store } from "../store/store.ts";

const partSchema = z.object({
  name: z.string().regex(/^part-\d{5}\.csv$/),
  /** Data rows, without the header. */
  rows: z.number().int().nonnegative(),
  /** Of the whole file. */
  bytes: z.number().int().nonnegative(),
  /** Of the whole file, hexadecimal. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

const manifestSchema = z.object({
  dataset: z.enum(["raw", "clean", "rejected"]),
  format: z.literal(1),
  run_id: z.string(),
  as_of: z.string(),
  engine: z.enum(["native", "spark"]),
  rows: z.number().int().nonnegative(),
  bytes: z.number().int().nonnegative(),
  fingerprint: z.string(),
  parts: z.array(partSchema),
  facts: z.record(z.string(), z.unknown()),
}).refine(
  ({ parts, ...whole }) =>
    whole.fingerprint === fingerprint(parts) && whole.rows === sum(parts, "rows") &&
    whole.bytes === sum(parts, "bytes") && new Set(parts.map(({ name }) => name)).size === parts.length,
  "its fingerprint, rows, bytes or names of parts do not agree with its parts",
);

function sum(parts: readonly Part[], what: "rows" | "bytes"): number {
  return parts.reduce((total, part) => total + part[what], 0);
}

/** One file of a dataset. */
export type Part = z.infer<typeof partSchema>;
/** What a dataset consists of; see docs/data_contract.md. */
export type Manifest = z.infer<typeof manifestSchema>;
/** Name of a dataset. */
export type DatasetName = Manifest["dataset"];

/** What {@linkcode publishDataset} needs besides the parts. */
export interface DatasetDescription {
  dataset: DatasetName;
  runId: string;
  asOf: IsoDate;
  engine: Manifest["engine"];
  facts: Record<string, unknown>;
}

/** Folder of a run's dataset. */
export function datasetFolder(runId: string, dataset: DatasetName): string {
  return `runs/${runId}/${dataset}`;
}

/** `part-00007.csv` for 7. */
export function partName(index: number): string {
  return `part-${String(index).padStart(5, "0")}.csv`;
}

/** What people know a raw part by: the export that it came from, or its own name. */
export function originOf(raw: Manifest, part: string): string {
  const { files } = raw.facts;
  const file = Array.isArray(files) ? files[raw.parts.findIndex(({ name }) => name === part)] : undefined;
  return typeof file === "string" ? file : part;
}

/** SHA-256 over the parts' names, rows, bytes and checksums; see docs/data_contract.md. */
export function fingerprint(parts: readonly Part[]): string {
  const hash = createHash("sha256");
  for (const { name, rows, bytes, sha256 } of parts) hash.update(`${name}\t${rows}\t${bytes}\t${sha256}\n`);
  return hash.digest("hex");
}

/** Makes room for a dataset: its manifest goes first, then everything else in its folder except `keep`. */
export async function beginDataset(
  store: Store,
  folder: string,
  keep: (name: string) => boolean = () => false,
): Promise<void> {
  await store.remove(`${folder}/manifest.json`);
  await store.sweep(folder, keep);
  const names = (await store.list(folder)).filter((name) => !keep(name));
  await mapConcurrently(names, (name) => store.remove(`${folder}/${name}`));
}

/** The manifest for these parts. */
export function makeManifest(description: DatasetDescription, parts: readonly Part[]): Manifest {
  const { dataset, runId, asOf, engine, facts } = description;
  return {
    dataset,
    format: 1,
    run_id: runId,
    as_of: asOf,
    engine,
    rows: sum(parts, "rows"),
    bytes: sum(parts, "bytes"),
    fingerprint: fingerprint(parts),
    parts: [...parts],
    facts,
  };
}

/** Puts the manifest in place: from here on the dataset exists. */
export async function publishDataset(
  store: Store,
  description: DatasetDescription,
  parts: readonly Part[],
): Promise<Manifest> {
  const manifest = makeManifest(description, parts);
  const folder = datasetFolder(description.runId, description.dataset);
  await store.writeText(`${folder}/manifest.json`, JSON.stringify(manifest, null, 2) + "\n");
  return manifest;
}

/** The manifest of a run's dataset; undefined when the dataset does not exist. @throws {SalesflowError} when it cannot be understood */
export async function findDataset(
  store: Store,
  runId: string,
  dataset: DatasetName,
): Promise<Manifest | undefined> {
  const path = `${datasetFolder(runId, dataset)}/manifest.json`;
  const text = await store.readText(path);
  if (text === undefined) return undefined;
  try {
    return manifestSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new SalesflowError(`Cannot understand ${path} in ${store.url}`, {
      remedy: `Remove the file and run the stage that makes ${dataset}/ again.`,
      runId,
      cause,
    });
  }
}

/** @throws {SalesflowError} exit code 2 when a dataset is as of another date than the run */
export function checkAsOf(
  manifests: readonly (Manifest | undefined)[],
  { runId, asOf, stage }: { runId: string; asOf: IsoDate; stage: string },
): void {
  for (const manifest of manifests) {
    if (!manifest || manifest.as_of === asOf) continue;
    throw new SalesflowError(
      `${manifest.dataset}/ of run ${runId} is as of ${manifest.as_of}, not ${asOf}`,
      { exitCode: 2, remedy: "Leave --as-of out, or make the run again as of that date.", stage, runId },
    );
  }
}

/**
 * The manifest of a run's dataset, whose parts are there in full size.
 *
 * @param remedy what to do so that the dataset is there
 * @throws {SalesflowError} when it does not exist
 */
export async function openDataset(
  store: Store,
  runId: string,
  dataset: DatasetName,
  remedy = dataset === "raw"
    ? `Generate or ingest the sales of run ${runId}, such as with: salesflow generate --run-id ${runId}`
    : `Run: salesflow clean --run-id ${runId}`,
): Promise<Manifest> {
  const manifest = await findDataset(store, runId, dataset);
  const folder = datasetFolder(runId, dataset);
  if (!manifest) {
    throw new SalesflowError(`There is no ${dataset} data of run ${runId} in ${store.url}/${folder}`, {
      remedy,
      runId,
    });
  }
  const sizes = await mapConcurrently(manifest.parts, ({ name }) => store.size(`${folder}/${name}`));
  for (const [index, { name, bytes }] of manifest.parts.entries()) {
    const found = sizes[index];
    if (found !== bytes) {
      throw new SalesflowError(
        `${store.url}/${folder}/${name} holds ${found ?? "no"} bytes, the manifest says ${bytes}`,
        { remedy, runId },
      );
    }
  }
  return manifest;
}
