/**
 * Generate: makes a year of plausible, deliberately dirty sales as `raw/`. The seed, the as-of date and the sizes fix every byte,
 * whatever the number of parts, threads and shards.
 */
import { createHash } from "node:crypto";
import { SalesflowError } from "../console/errors.ts";
import { logger } from "../console/log.ts";
import { fromCents } from "../domain/money.ts";
import { type RunRecord, writeRun } from "../pipeline/records.ts";
import type { StageContext, StageResult } from "../pipeline/stage.ts";
import { beginDataset, datasetFolder, partName, publishDataset } from "../dataset/dataset.ts";
import { Pool } from "../workers/pool.ts";
import { catalogueCsv, makeCatalogue, type Product } from "./catalogue.ts";
import { addDefects, addSums, noDefects, noSums } from "./raw_lines.ts";
import { type MadeParts, readShards, type Shard, shardFile, writeShard } from "./shards.ts";
import type { ShopParameters } from "./shop.ts";
import type { GenerateAnswer, GenerateSetUp, GenerateTask } from "./worker.ts";

/** What to generate. */
export interface GenerateOptions {
  /** Distinct valid sales, at least 1. */
  rows: number;
  /** Whole number, 0 … 2^53 − 1. */
  seed: number;
  /** Injected rows, and oddly spelt sales, per sale, 0 … 0.5. */
  defectRate: number;
  /** Size of the catalogue. */
  products: number;
  /** Customers the shop has. */
  customers: number;
  /** Parts of the dataset; with shards: of all shards together. */
  partitions: number;
  /** Threads. */
  workers: number;
  /** Make only this share of the parts; the shard that finishes last publishes the dataset. */
  shard?: Shard;
}

/** Everything that decides about the bytes of raw/. */
function parametersOf(options: GenerateOptions): Record<string, number> {
  const { seed, rows, defectRate, products, customers } = options;
  return { seed, rows, defect_rate: defectRate, products, customers };
}

/** The run record that generate opens a run with. */
export function generatedRun(runId: string, asOf: string, options: GenerateOptions): RunRecord {
  return { run_id: runId, as_of: asOf, source: "generated", parameters: parametersOf(options) };
}

function shopParameters(
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
  };
}

/** Parts as ranges of sales that differ by at most one in length. */
function allTasks(rows: number, partitions: number): GenerateTask[] {
  return Array.from({ length: partitions }, (_, index) => ({
    name: partName(index),
    from: Math.floor(rows * index / partitions),
    to: Math.floor(rows * (index + 1) / partitions),
  }));
}

/** Runs the stage. @throws {SalesflowError} when the store cannot be written */
export async function generate(context: StageContext, options: GenerateOptions): Promise<StageResult> {
  const { runId, asOf, store, signal } = context;
  const shard = options.shard ?? { number: 1, of: 1 };
  if (options.partitions < shard.of) {
    throw new SalesflowError(`Cannot make ${shard.of} shards of ${options.partitions} partitions`, {
      exitCode: 2,
      remedy: `Pass --partitions ${shard.of} or more.`,
      stage: "generate",
    });
  }
  const folder = datasetFolder(runId, "raw");
  const parameters = parametersOf(options);
  // Shards work side by side: each clears its own files only.
  const tasks = allTasks(options.rows, options.partitions);
  const mine = tasks.filter((_, index) => index % shard.of === shard.number - 1);
  const own = new Set([shardFile(shard), ...mine.map(({ name }) => name)]);
  await beginDataset(store, folder, (name) => shard.of > 1 && !own.has(name));
  await writeRun(store, generatedRun(runId, asOf, options));
  const catalogue = makeCatalogue(options.products, options.seed);
  const made = await makeParts(context, options, catalogue, mine);
  if (shard.of > 1) {
    await writeShard(store, folder, shard, {
      parameters,
      partitions: options.partitions,
      as_of: asOf,
      ...made,
    });
  }
  signal.throwIfAborted();
  const whole = shard.of > 1
    ? await readShards(store, folder, shard.of, { parameters, partitions: options.partitions, as_of: asOf })
    : made;
  if (!whole) {
    logger("generate").info("shard {number} of {of} is done; others are not yet", { ...shard });
    return { rowsIn: 0, rowsOut: made.counts.raw_rows, facts: {}, unfinished: true };
  }
  await publish(context, whole, parameters, catalogue);
  return { rowsIn: 0, rowsOut: whole.counts.raw_rows, facts: { ...parameters, defects: whole.counts } };
}

async function makeParts(
  context: StageContext,
  options: GenerateOptions,
  catalogue: readonly Product[],
  tasks: GenerateTask[],
): Promise<MadeParts> {
  const total = tasks.reduce((sum, { from, to }) => sum + to - from, 0);
  const pool = new Pool<GenerateSetUp, GenerateTask, GenerateAnswer>({
    start: () => new Worker(new URL("./worker.ts", import.meta.url), { type: "module" }),
    threads: options.workers,
    setUp: {
      storeUrl: context.store.url,
      folder: datasetFolder(context.runId, "raw"),
      parameters: shopParameters(options, context.asOf, catalogue),
      defectRate: options.defectRate,
    },
    signal: context.signal,
    onProgress: (rows) => context.progress(rows, total),
  });
  try {
    const answers = await pool.run(tasks);
    const counts = noDefects();
    const sums = noSums();
    for (const answer of answers) {
      addDefects(counts, answer.counts);
      addSums(sums, answer.sums);
    }
    return { parts: answers.map(({ part }) => part), counts, sums };
  } finally {
    pool.close();
  }
}

async function publish(
  { runId, asOf, store }: StageContext,
  { parts, counts, sums }: MadeParts,
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
