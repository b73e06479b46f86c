/** Plans the stages of `salesflow run` from the records of the run and, where it matters, from what the tables hold. */
import { generatedRun, type GenerateOptions } from "../lib/generate/generate.ts";
import {
  type CleanSettings,
  type Plan,
  type PlanInput,
  planRun,
  resumesAfterLoad,
  rewindPlan,
  type TableRuns,
} from "../lib/pipeline/plan.ts";
import { readStages, type RunRecord } from "../lib/pipeline/records.ts";
import type { StageName } from "../lib/pipeline/stage.ts";
import type { Store } from "../lib/store/store.ts";

/** What is planned: a run, and the options with which it would be made. */
export interface PlanRequest {
  /** Store of the run. */
  store: Store;
  /** Name of the run. */
  runId: string;
  /** As-of date. */
  asOf: string;
  /** The run as recorded. */
  existing: RunRecord | undefined;
  /** Options of generate. */
  generating: GenerateOptions;
  /** Options of clean. */
  cleaning: CleanSettings;
  /** First stage, if requested. */
  from: StageName | undefined;
  /** Last stage, if requested. */
  to: StageName | undefined;
}

/** Reads what a plan depends on. */
async function readPlanInput(request: PlanRequest): Promise<PlanInput> {
  const { store, runId, asOf, existing, generating, cleaning, from, to } = request;
  const records = await readStages(store, runId);
  const requested = generatedRun(runId, asOf, generating);
  return { requested, existing, records, cleanSettings: cleaning, from, to };
}

/**
 * Plans the stages.
 *
 * @param readTables reads which runs the tables hold, and is called only if that decides where the run resumes; it returns
 *   undefined when that cannot be known, and then the plan stays as it is
 */
export async function planStages(
  request: PlanRequest,
  readTables: () => Promise<TableRuns | undefined>,
): Promise<{ plan: Plan; input: PlanInput; dependsOnTables: boolean }> {
  const input = await readPlanInput(request);
  const planned = planRun(input);
  if (!resumesAfterLoad(planned)) return { plan: planned, input, dependsOnTables: false };
  const tables = await readTables();
  const plan = tables ? rewindPlan(planned, request.runId, tables) : planned;
  return { plan, input, dependsOnTables: tables === undefined };
}
