/** Stage ingest: brings exports into the form of `raw/`, one part per file, by the rules of a source file. */
import { SalesflowError, UsageError } from "../console/errors.ts";
import { clearDataset, datasetFolder, publishDataset } from "../dataset/dataset.ts";
import { writeRun } from "../pipeline/records.ts";
import type { StageContext, StageResult } from "../pipeline/stage.ts";
import { LendingPool } from "../workers/lending_pool.ts";
import type { ChunkResult, ChunkTask, ChunkWorkerData } from "./chunks/chunk.ts";
import type { MappingRules } from "./chunks/mapper_set.ts";
import { openEntries } from "./entries.ts";
import { IdDirectoryWriter } from "./id_directory.ts";
import { IngestJob } from "./ingest_job.ts";
import type { Input } from "./inputs.ts";

/** Options of the stage ingest. */
export interface IngestOptions {
  /** The exports, in the order of the parts. */
  inputs: readonly Input[];
  /** How exports become sales. */
  rules: MappingRules;
  /** Maximum number of worker threads. */
  workers: number;
}

/** Exit code of what the user must change. */
const USAGE_ERROR = 2;

type ChunkPool = LendingPool<ChunkWorkerData, ChunkTask, ChunkResult>;

/**
 * Checks that every file can be read and has the needed columns. Run before the stage, so that a typo costs neither the
 * existing raw data nor leaves a record of a failed stage.
 *
 * @throws {SalesflowError} listing the mistakes of all files; at once when it is no mistake, such as a bucket that does not answer
 */
export async function checkExports({ inputs, rules }: IngestOptions, signal: AbortSignal): Promise<void> {
  const mistakes: SalesflowError[] = [];
  for (const input of inputs) {
    // Pipes and standard input can be read only once; their headers are checked later.
    if (input.readOnce) continue;
    try {
      for await (const _ of openEntries(input, rules, { headersOnly: true, signal }));
    } catch (error) {
      if (!(error instanceof SalesflowError) || error.exitCode !== USAGE_ERROR) throw error;
      mistakes.push(error);
    }
  }
  if (mistakes.length === 1) throw mistakes[0];
  if (mistakes.length > 1) {
    throw new UsageError(
      mistakes.map(({ message }) => message),
      mistakes.find(({ remedy }) => remedy)?.remedy,
    );
  }
}

/**
 * Runs the stage. Its exports should have passed {@linkcode checkExports}.
 *
 * @throws {SalesflowError} when a file cannot be read or lacks a column, or when none of the files holds a sale
 */
export async function ingest(context: StageContext, options: IngestOptions): Promise<StageResult> {
  const { runId, asOf, store, signal } = context;
  const { inputs, rules, workers } = options;
  await clearDataset(store, datasetFolder(runId, "raw"));
  const files = inputs.map(({ name }) => name);
  const parameters = rules.copies ? { files } : { source: rules.source.path, files };
  await writeRun(store, { run_id: runId, as_of: asOf, source: "ingested", parameters });
  const ids = await IdDirectoryWriter.create(store, runId);
  const pool: ChunkPool = new LendingPool({
    start: () => new Worker(new URL("./chunks/worker.ts", import.meta.url), { type: "module" }),
    threads: workers,
    workerData: { rules, seeds: [randomSeed(), randomSeed(), randomSeed()] },
    signal,
  });
  const job = new IngestJob(context, rules, pool, ids);
  try {
    for (const input of inputs) await job.add(input);
    if (job.rows === 0) throw noSalesError(inputs);
    const { parts, facts } = await job.finish();
    signal.throwIfAborted();
    await publishDataset(store, { dataset: "raw", runId, asOf, engine: "native", facts }, parts);
    return { rowsIn: job.lines.records, rowsOut: job.rows, facts };
  } catch (error) {
    await job.abort();
    throw error;
  } finally {
    pool.close();
  }
}

function noSalesError(inputs: readonly Input[]): SalesflowError {
  return new SalesflowError(`There are no sales in ${inputs.map(({ path }) => path).join(", ")}`, {
    stage: "ingest",
    exitCode: 2,
    remedy: "Export the sales again: there is only a header.",
  });
}

function randomSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]!;
}
