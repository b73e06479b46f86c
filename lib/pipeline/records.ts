/** Records of a run in the store: run.json and stages/<stage>.json. */
import { z } from "zod";
import { SalesflowError } from "../console/errors.ts";
import type { Store } from "../store/store.ts";
import { type StageName, STAGES } from "./stage.ts";

const runSchema = z.object({
  run_id: z.string(),
  as_of: z.string(),
  source: z.enum(["generated", "ingested"]),
  /** Everything that determines the bytes of raw/: seed, rows, …, or the ingested files. */
  parameters: z.record(z.string(), z.unknown()),
});

const stageSchema = z.object({
  stage: z.string(),
  status: z.enum(["running", "done", "failed"]),
  engine: z.enum(["native", "spark"]),
  attempt: z.number().int().positive(),
  started_at: z.string(),
  finished_at: z.string().nullable(),
  seconds: z.number().nullable(),
  rows_in: z.number().int().nullable(),
  rows_out: z.number().int().nullable(),
  facts: z.record(z.string(), z.unknown()),
  error: z.object({ message: z.string(), remedy: z.string().nullable(), exit_code: z.number() }).nullable(),
});

/** Content of run.json. */
export type RunRecord = z.infer<typeof runSchema>;
/** Content of stages/<stage>.json: the latest attempt at the stage. */
export type StageRecord = z.infer<typeof stageSchema>;

/** Pattern of run ids: safe as folder names, and not longer than a Kubernetes label value. */
export const RUN_ID = /^(?!.*\.\.)[a-z0-9][a-z0-9._-]{0,62}$/;

function runPath(runId: string): string {
  return `runs/${runId}/run.json`;
}

function stagePath(runId: string, stage: StageName): string {
  return `runs/${runId}/stages/${stage}.json`;
}

async function readRecord<T>(store: Store, path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const text = await store.readText(path);
  if (text === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new SalesflowError(`Cannot parse ${path} in ${store.url}`, {
      remedy: "Remove the file, or the whole run folder, and run the stage again.",
      cause,
    });
  }
}

/** Reads run.json of a run; undefined if the run does not exist. @throws {SalesflowError} when it cannot be parsed */
export function readRun(store: Store, runId: string): Promise<RunRecord | undefined> {
  return readRecord(store, runPath(runId), runSchema);
}

/** Writes run.json. */
export function writeRun(store: Store, run: RunRecord): Promise<void> {
  return store.writeText(runPath(run.run_id), JSON.stringify(run, null, 2) + "\n");
}

/** Reads the record of a stage; undefined if it was never started. @throws {SalesflowError} when it cannot be parsed */
export function readStage(store: Store, runId: string, stage: StageName): Promise<StageRecord | undefined> {
  return readRecord(store, stagePath(runId, stage), stageSchema);
}

/** Reads the records of all stages that were started, in order; those of `generate` and `ingest` may both be there. */
export async function readStages(store: Store, runId: string): Promise<Map<StageName, StageRecord>> {
  const [first, ...others] = STAGES;
  const stages: StageName[] = [first, "ingest", ...others];
  const records = await Promise.all(stages.map((stage) => readStage(store, runId, stage)));
  return new Map(stages.flatMap((stage, index) => records[index] ? [[stage, records[index]]] : []));
}

/** Writes the record of a stage. */
export function writeStage(store: Store, runId: string, record: StageRecord): Promise<void> {
  return store.writeText(stagePath(runId, record.stage as StageName), JSON.stringify(record, null, 2) + "\n");
}

/** Lists the ids of all runs in the store, sorted. */
export async function listRuns(store: Store): Promise<string[]> {
  return (await store.list("runs")).filter((name) => RUN_ID.test(name));
}

/** Creates the error for a run that does not exist: a typo in its id, or no data yet. */
export function runNotFound(store: Store, runId: string): SalesflowError {
  return new SalesflowError(`There is no run ${runId} in ${store.url}`, {
    exitCode: 2,
    remedy: "Run generate or ingest first, or list the runs with: salesflow status",
    runId,
  });
}

/** Returns the command that recreates the raw data of a run, with the options known from its record. */
export async function rawDataRemedy(store: Store, runId: string): Promise<string> {
  const run = await readRun(store, runId);
  if (!run) return `Run: salesflow generate --run-id ${runId}`;
  const id = `--run-id ${runId} --as-of ${run.as_of}`;
  if (run.source === "ingested") {
    const { source } = run.parameters;
    return `Run: salesflow ingest ${typeof source === "string" ? `--source ${source}` : "FILE…"} ${id}`;
  }
  const values = Object.entries(run.parameters).map(([name, value]) =>
    `--${name.replaceAll("_", "-")} ${value}`
  );
  return `Run: salesflow generate ${[id, ...values].join(" ")}`;
}
