/**
 * Stage generate: writes a year of plausible, deliberately dirty sales to `raw/`. The rows depend only on the seed, the as-of
 * date, the sizes and the defect rate, byte for byte, not on the number of parts, threads and shards.
 */
import { createHash } from "node:crypto";
import { SalesflowError } from "../console/errors.ts";
import { logger } from "../console/log.ts";
import { fromCents } from "../domain/money.ts";
import { type RunRecord, writeRun } from "../pipeline/records.ts";
import type { StageContext, StageResult } from "../pipeline/stage.ts";
import { clearDataset, datasetFolder, partName, publishDataset } from "../dataset/dataset.ts";
import { Pool } from "../workers/pool.ts";
import { catalogueCsv, makeCatalogue, type Product } from "./catalogue.ts";
import { addDefectCounts, addSums, zeroDefectCounts, zeroSums } from "./raw_line_writer.ts";
import {
  type GeneratedParts,
  readShardRecords,
  type Shard,
  shardRecordName,
  writeShardRecord,
} from "./shards.ts";
import type { ShopParameters } from "./shop.ts";
import type { GenerateTask, GenerateTaskResult, GenerateWorkerData } from "./worker.ts";

/** Options of the stage generate. */
export interface GenerateOptions {
  /** Number of distinct valid sales, at least 1. */
  rows: number;
  /** Integer, 0 … 2^53 − 1. */
  seed: number;
  /** Share of sales followed by an injected row, and share of sales in another format, 0 … 0.5. */
  defectRate: number;
  /** Number of products. */
  products: number;
  /** Number of new customers a year. */
  customers: number;
  /** Number of parts of the dataset, across all shards. */
  partitions: number;
  /** Maximum number of worker threads. */
  workers: number;
  /** Generate only the parts of this shard; the shard that finishes last publishes the dataset. */
  shard?: Shard;
}

/** Returns the options that determine the rows of raw/, apart from the as-of date. */
function toParameters(options: GenerateOptions): Record<string, number> {
  const { seed, rows, defectRate, products, customers } = options;
  return { seed, rows, defect_rate: defectRate, products, customers };
}

/** Returns the run record of a generated run. */
export function generatedRun(runId: string, asOf: string, options: GenerateOptions): RunRecord {
  return { run_id: runId, as_of: asOf, source: "generated", parameters: toParameters(options) };
}

function buildShopParameters(
  options: GenerateOptions,
  asOf: string,
  catalogue: readonly Product[],
): ShopParameters {
  return {
    seed: options.seed,
    asOf,
    rows: options.rows,
    customers: options.customers,
    prices: Int32Array.from(catalogue, (product) => product.priceCents),
    seasons: catalogue.map((product) => product.season),
    categories: catalogue.map((product) => product.category),
  };
}

/** Returns one task per part; their numbers of sales differ by at most one. */
function planTasks(rows: number, partitions: number): GenerateTask[] {
  return Array.from({ length: partitions }, (_, index) => ({
    name: partName(index),
    from: Math.floor(rows * index / partitions),
    to: Math.floor(rows * (index + 1) / partitions),
  }));
}

/**
 * Runs the stage.
 *
 * @throws {SalesflowError} when there are more shards than partitions, or the store cannot be written
 */
export async function generate(context: StageContext, options: GenerateOptions): Promise<StageResult> {
  const { runId, asOf, store, signal } = context;
  const shard = options.shard ?? { number: 1, of: 1 };
  if (options.partitions < shard.of) {
    throw new SalesflowError(`Cannot split ${options.partitions} partitions into ${shard.of} shards`, {
      exitCode: 2,
      remedy: `Pass --partitions ${shard.of} or more.`,
      stage: "generate",
    });
  }
  const folder = datasetFolder(runId, "raw");
  const parameters = toParameters(options);
  // Shards run concurrently: each removes only its own files.
  const tasks = planTasks(options.rows, options.partitions);
  const shardTasks = tasks.filter((_, index) => index % shard.of === shard.number - 1);
  const shardFiles = new Set([shardRecordName(shard), ...shardTasks.map(({ name }) => name)]);
  await clearDataset(store, folder, (name) => shard.of > 1 && !shardFiles.has(name));
  await writeRun(store, generatedRun(runId, asOf, options));
  const catalogue = makeCatalogue(options.products, options.seed);
  const generated = await generateParts(context, options, catalogue, shardTasks);
  if (shard.of > 1) {
    await writeShardRecord(store, folder, shard, {
      parameters,
      partitions: options.partitions,
      as_of: asOf,
      ...generated,
    });
  }
  signal.throwIfAborted();
  const merged = shard.of > 1
    ? await readShardRecords(store, folder, shard.of, {
      parameters,
      partitions: options.partitions,
      as_of: asOf,
    })
    : generated;
  if (!merged) {
    logger("generate").info("shard {number} of {of} is done, waiting for the others", { ...shard });
    return { rowsIn: 0, rowsOut: generated.counts.raw_rows, facts: {}, unfinished: true };
  }
  await publishRaw(context, merged, parameters, catalogue);
  return { rowsIn: 0, rowsOut: merged.counts.raw_rows, facts: { ...parameters, defects: merged.counts } };
}

async function generateParts(
  context: StageContext,
  options: GenerateOptions,
  catalogue: readonly Product[],
  tasks: GenerateTask[],
): Promise<GeneratedParts> {
  const total = tasks.reduce((sum, { from, to }) => sum + to - from, 0);
  const pool = new Pool<GenerateWorkerData, GenerateTask, GenerateTaskResult>({
    start: () => new Worker(new URL("./worker.ts", import.meta.url), { type: "module" }),
    threads: options.workers,
    workerData: {
      storeUrl: context.store.url,
      folder: datasetFolder(context.runId, "raw"),
      parameters: buildShopParameters(options, context.asOf, catalogue),
      defectRate: options.defectRate,
    },
    signal: context.signal,
    onProgress: (rows) => context.progress(rows, total),
  });
  try {
    const results = await pool.run(tasks);
    const counts = zeroDefectCounts();
    const sums = zeroSums();
    for (const result of results) {
      addDefectCounts(counts, result.counts);
      addSums(sums, result.sums);
    }
    return { parts: results.map(({ part }) => part), counts, sums };
  } finally {
    pool.close();
  }
}

async function publishRaw(
  { runId, asOf, store }: StageContext,
  { parts, counts, sums }: GeneratedParts,
  parameters: Record<string, number>,
  catalogue: readonly Product[],
): Promise<void> {
  const folder = datasetFolder(runId, "raw");
  const products = catalogueCsv(catalogue);
  await store.writeText(`${folder}/products.csv`, products);
  await store.writeText(`${folder}/defects.json`, JSON.stringify(counts, null, 2) + "\n");
  const facts = {
    source: "generated",
    ...parameters,
    defects: counts,
    sums: { quantity: String(sums.quantity), amount: fromCents(sums.cents) },
    products_sha256: createHash("sha256").update(products).digest("hex"),
  };
  await publishDataset(store, { dataset: "raw", runId, asOf, engine: "native", facts }, parts);
}
