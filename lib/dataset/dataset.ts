/**
 * Datasets: folders of CSV parts with a `manifest.json`. A dataset exists if and only if its manifest does: the manifest is
 * removed before any part changes, and written atomically after all parts are durable.
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import { SalesflowError } from "../console/errors.ts";
import type { IsoDate } from "../domain/dates.ts";
import { mapConcurrently } from "./map_concurrently.ts";
import type { Store } from "../store/store.ts";

const partSchema = z.object({
  name: z.string().regex(/^part-\d{5}\.csv$/),
  /** Number of data rows, without the header. */
  rows: z.number().int().nonnegative(),
  /** Size of the whole file. */
  bytes: z.number().int().nonnegative(),
  /** Checksum of the whole file, in hexadecimal. */
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
  ({ parts, ...totals }) =>
    totals.fingerprint === fingerprint(parts) && totals.rows === sum(parts, "rows") &&
    totals.bytes === sum(parts, "bytes") && new Set(parts.map(({ name }) => name)).size === parts.length,
  "it is inconsistent (fingerprint, rows, bytes or part names)",
);

function sum(parts: readonly Part[], field: "rows" | "bytes"): number {
  return parts.reduce((total, part) => total + part[field], 0);
}

/** One file of a dataset. */
export type Part = z.infer<typeof partSchema>;
/** The content of a manifest.json. See docs/data_contract.md. */
export type Manifest = z.infer<typeof manifestSchema>;
/** Name of a dataset. */
export type DatasetName = Manifest["dataset"];

/** Properties of a dataset besides its parts. */
export interface DatasetDescription {
  /** Name of the dataset. */
  dataset: DatasetName;
  /** Id of the run. */
  runId: string;
  /** As-of date of the run. */
  asOf: IsoDate;
  /** Engine that wrote the dataset. */
  engine: Manifest["engine"];
  /** Facts that depend on the dataset, see facts.ts. */
  facts: Record<string, unknown>;
}

/** Returns the folder of a dataset. */
export function datasetFolder(runId: string, dataset: DatasetName): string {
  return `runs/${runId}/${dataset}`;
}

/** Returns the file name of a part: `part-00007.csv` for 7. */
export function partName(index: number): string {
  return `part-${String(index).padStart(5, "0")}.csv`;
}

/** A line of an export. */
export interface SourceLine {
  /** Name of the export; of the raw part if it was generated. */
  file: string;
  /** Number of the line in it, counted from 1. */
  line: number;
}

/** Returns where a line of a raw part comes from. */
export function sourceLine(raw: Manifest, part: string, line: number): SourceLine {
  const { files, line_offsets: offsets } = raw.facts;
  const index = raw.parts.findIndex(({ name }) => name === part);
  const file = Array.isArray(files) ? files[index] : undefined;
  if (typeof file !== "string") return { file: part, line };
  // The header of a part has no counterpart in formats without one.
  const offset = Array.isArray(offsets) ? Number(offsets[index] ?? 0) : 0;
  return { file, line: line - offset };
}

/** Computes the SHA-256 of the names, rows, bytes and checksums of all parts. See docs/data_contract.md. */
export function fingerprint(parts: readonly Part[]): string {
  const hash = createHash("sha256");
  for (const { name, rows, bytes, sha256 } of parts) hash.update(`${name}\t${rows}\t${bytes}\t${sha256}\n`);
  return hash.digest("hex");
}

/**
 * Removes a dataset before it is rewritten: first the manifest, then the other files.
 *
 * @param keep returns true for names of files to keep
 */
export async function clearDataset(
  store: Store,
  folder: string,
  keep: (name: string) => boolean = () => false,
): Promise<void> {
  await store.remove(`${folder}/manifest.json`);
  await store.sweep(folder, keep);
  const names = (await store.list(folder)).filter((name) => !keep(name));
  await mapConcurrently(names, (name) => store.remove(`${folder}/${name}`));
}

/** Creates the manifest of a dataset. */
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

/** Writes the manifest, which makes the dataset exist. */
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

/**
 * Reads the manifest of a dataset; undefined when it does not exist.
 *
 * @throws {SalesflowError} when it is invalid
 */
export async function readManifest(
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
    throw new SalesflowError(`Cannot parse ${path} in ${store.url}`, {
      remedy: `Remove the file and run the stage that writes ${dataset}/ again.`,
      runId,
      cause,
    });
  }
}

/**
 * Checks that datasets have the same as-of date as the run.
 *
 * @throws {SalesflowError} with exit code 2 when one has another date
 */
export function checkAsOf(
  manifests: readonly (Manifest | undefined)[],
  { runId, asOf, stage }: { runId: string; asOf: IsoDate; stage: string },
): void {
  for (const manifest of manifests) {
    if (!manifest || manifest.as_of === asOf) continue;
    throw new SalesflowError(
      `${manifest.dataset}/ of run ${runId} is as of ${manifest.as_of}, not ${asOf}`,
      { exitCode: 2, remedy: "Omit --as-of, or create the run again with that date.", stage, runId },
    );
  }
}

/**
 * Reads the manifest of a dataset, and checks that all parts exist with the right size.
 *
 * @param remedy how to create the dataset, for the error
 * @throws {SalesflowError} when the dataset is missing, invalid or incomplete
 */
export async function openDataset(
  store: Store,
  runId: string,
  dataset: DatasetName,
  remedy = dataset === "raw"
    ? `Generate or ingest the sales of run ${runId}, for example: salesflow generate --run-id ${runId}`
    : `Run: salesflow clean --run-id ${runId}`,
): Promise<Manifest> {
  const manifest = await readManifest(store, runId, dataset);
  const folder = datasetFolder(runId, dataset);
  if (!manifest) {
    throw new SalesflowError(`There is no ${dataset} data of run ${runId} in ${store.url}/${folder}`, {
      remedy,
      runId,
    });
  }
  const sizes = await mapConcurrently(manifest.parts, ({ name }) => store.size(`${folder}/${name}`));
  for (const [index, { name, bytes }] of manifest.parts.entries()) {
    const size = sizes[index];
    if (size !== bytes) {
      throw new SalesflowError(
        `${store.url}/${folder}/${name} holds ${size ?? "no"} bytes, the manifest says ${bytes}`,
        { remedy, runId },
      );
    }
  }
  return manifest;
}
