/** Plans which stages a run executes. No I/O. */
import { SalesflowError } from "../console/errors.ts";
import type { RunRecord, StageRecord } from "./records.ts";
import { type StageName, STAGES } from "./stage.ts";

/** Input of {@linkcode planRun}. */
export interface PlanInput {
  /** The run as the options would generate it. */
  requested: RunRecord;
  /** The run as recorded; undefined if there is none. */
  existing: RunRecord | undefined;
  /** Records of the stages that were started. */
  records: ReadonlyMap<StageName, StageRecord>;
  /** Options of `clean` to compare with an earlier attempt. If absent, every completed `clean` is accepted. */
  cleanSettings?: CleanSettings;
  /** First stage, if requested. */
  from?: StageName | undefined;
  /** Last stage, if requested. */
  to?: StageName | undefined;
}

/** The options of `clean` that determine the content of clean/. */
export interface CleanSettings {
  /** Whether sales outside the year up to the as-of date are rejected. */
  checkDateRange: boolean;
  /** Maximum share of rejected rows, 0 to 1, at which `clean` still publishes its output. */
  maxRejected: number;
}

/** The stages to execute, in order. */
export interface Plan {
  /** The stages. */
  stages: StageName[];
  /** The stage at which the run resumes, and why; undefined for a run from the start or from a requested stage. */
  resumed?: { at: StageName; reason: string };
}

/** Ids of the runs in PostgreSQL's tables; null for an empty or missing table. */
export interface TableRuns {
  /** Run in shop.sales. */
  loaded: string | null;
  /** Run in shop.sales_aggregates. */
  aggregated: string | null;
}

/** Returns the stages of a run in order. An ingested run has `ingest` in place of `generate`. */
export function stageOrder(source: RunRecord["source"]): StageName[] {
  return STAGES.map((stage) => stage === "generate" && source === "ingested" ? "ingest" : stage);
}

/** Returns the order of a run's stages, and the records in it. A new run whose ingest failed early has no record of its own. */
export function orderStages(
  run: RunRecord | undefined,
  all: PlanInput["records"],
): { order: StageName[]; records: Map<StageName, StageRecord> } {
  const order = stageOrder(run?.source ?? (all.has("ingest") ? "ingested" : "generated"));
  return {
    order,
    records: new Map(order.flatMap((stage) => all.has(stage) ? [[stage, all.get(stage)!]] : [])),
  };
}

/** Status of a stage as recorded, or `outdated` if an earlier stage has run again since. */
export type StageState = StageRecord["status"] | "outdated";

/** Returns the state of each stage that has a record. `migrate` changes no data, so it outdates nothing. */
export function computeStageStates(
  order: readonly StageName[],
  records: PlanInput["records"],
): Map<StageName, StageState> {
  const states = new Map<StageName, StageState>();
  let latest = "";
  let outdated = false;
  for (const stage of order) {
    const record = records.get(stage);
    if (!record) continue;
    if (stage === "migrate") {
      states.set(stage, record.status);
      continue;
    }
    outdated ||= record.status === "done" && record.started_at < latest;
    states.set(stage, outdated && record.status === "done" ? "outdated" : record.status);
    const end = record.finished_at ?? record.started_at;
    if (end > latest) latest = end;
  }
  return states;
}

/** Whether the output of an earlier `clean` is what these options would produce. */
function matchesCleanOptions(
  { facts }: StageRecord,
  { checkDateRange, maxRejected }: CleanSettings,
): boolean {
  const share = Number(facts.rejected) / Number(facts.rows_in);
  return (facts.date_from !== null) === checkDateRange && share <= maxRejected;
}

function resumeReason(state: StageState | undefined): string {
  if (state === undefined) return "it is the next stage";
  if (state === "done") return "it was completed with other options";
  return state === "outdated" ? "an earlier stage has run again since" : "an earlier attempt stopped there";
}

/** Rejects a run whose last ingest did not complete: its raw data, if any, belong to an earlier export. */
function rejectIncompleteIngest({ requested, existing, records }: PlanInput): void {
  const ingest = records.get("ingest");
  if (!ingest || ingest.status === "done" || existing?.source === "generated") return;
  const run = requested.run_id;
  const outcome = ingest.error ? `failed: ${ingest.error.message}` : "was interrupted";
  throw new SalesflowError(`The last ingest of run ${run} ${outcome}`, {
    exitCode: 2,
    runId: run,
    remedy:
      `Run salesflow ingest FILE… --run-id ${run} again, or pass --from clean to continue with the data of an earlier ingest.`,
  });
}

/** Rejects another as-of date for an ingested run: its raw data are as of the date of its ingest. */
function rejectOtherDate({ requested, existing }: PlanInput): void {
  if (existing?.source !== "ingested" || existing.as_of === requested.as_of) return;
  throw new SalesflowError(`Run ${existing.run_id} is as of ${existing.as_of}, not ${requested.as_of}`, {
    exitCode: 2,
    runId: existing.run_id,
    remedy: "Omit --as-of, or ingest the exports again with that date.",
  });
}

/**
 * Plans a run: from the stage `from`, or from where an earlier attempt at the same run stopped, or from the start.
 * If any stage needs the tables, `migrate` comes first.
 *
 * @throws {SalesflowError} when `from` comes after `to`, the last ingest did not complete, or it was as of another date
 */
export function planRun(input: PlanInput): Plan {
  const { requested, existing, records, cleanSettings, from, to } = input;
  const ingested = existing?.source === "ingested";
  const order = stageOrder(ingested ? "ingested" : "generated");
  const last = to ?? "report";
  rejectOtherDate(input);
  if (from === undefined && last !== "migrate") rejectIncompleteIngest(input);
  // The states of stages after the last requested one are irrelevant.
  const data = order.slice(1, Math.max(1, order.indexOf(last) + 1));
  const sameData = ingested ||
    (!!existing && existing.as_of === requested.as_of &&
      equalParameters(existing.parameters, requested.parameters));
  const states = computeStageStates(order, records);
  const isPending = (stage: StageName) =>
    states.get(stage) !== "done" ||
    (stage === "clean" && !!cleanSettings && !matchesCleanOptions(records.get(stage)!, cleanSettings));
  const pending = sameData ? data.find(isPending) : undefined;
  const resumes = from === undefined && pending !== undefined && pending !== data[0];
  const first = from ??
    (last === "migrate" ? "migrate" : resumes ? pending : ingested ? "clean" : "generate");
  const stages = stagesBetween(order, first, last);
  return resumes ? { stages, resumed: { at: first, reason: resumeReason(states.get(first)) } } : { stages };
}

/** Checks that `first` does not come after `last`. @throws {SalesflowError} when it does, or `order` lacks one of them */
export function validateStageRange(order: readonly StageName[], first: StageName, last: StageName): void {
  if (order.indexOf(first) < 0 || order.indexOf(last) < 0 || order.indexOf(first) > order.indexOf(last)) {
    throw new SalesflowError(`Cannot run from ${first} to ${last}: the order is ${order.join(", ")}`, {
      exitCode: 2,
    });
  }
}

function stagesBetween(order: readonly StageName[], first: StageName, last: StageName): StageName[] {
  validateStageRange(order, first, last);
  const stages = order.slice(order.indexOf(first), order.indexOf(last) + 1);
  const needsTables = stages.some((stage) => order.indexOf(stage) >= order.indexOf("load"));
  if (needsTables && stages[0] !== "migrate") stages.unshift("migrate");
  return stages;
}

/** Splits the stages of a plan: those that only make files (and `migrate`), then those that need the run in the tables. */
export function splitStages(stages: readonly StageName[]): { files: StageName[]; tables: StageName[] } {
  const needsRun = (stage: StageName) =>
    STAGES.indexOf(stage as typeof STAGES[number]) >= STAGES.indexOf("load");
  return { files: stages.filter((stage) => !needsRun(stage)), tables: stages.filter(needsRun) };
}

/** Whether a plan resumes after `load`, and so depends on the content of the tables. */
export function resumesAfterLoad({ resumed }: Plan): boolean {
  return resumed !== undefined &&
    STAGES.indexOf(resumed.at as typeof STAGES[number]) > STAGES.indexOf("load");
}

/**
 * Whether a run is between load and the end of report: its rows were in the tables, so if another run is there now, it has
 * come in between. After report, the tables are free for other runs.
 */
export function isInProgress(load: StageRecord | undefined, report: StageRecord | undefined): boolean {
  if (load?.status !== "done") return false;
  return !(report?.status === "done" && report.started_at >= load.finished_at!);
}

/** Moves the start of a resumed plan back to `load` or `aggregate` if the tables now hold another run. */
export function rewindPlan(plan: Plan, runId: string, { loaded, aggregated }: TableRuns): Plan {
  if (!plan.resumed) return plan;
  const { at } = plan.resumed;
  const back = loaded !== runId
    ? "load"
    : at !== "aggregate" && aggregated !== runId
    ? "aggregate"
    : undefined;
  if (!back) return plan;
  const [table, holder] = back === "load" ? ["shop.sales", loaded] : ["shop.sales_aggregates", aggregated];
  const reason = `${table} ${holder === null ? "holds no run" : `now holds run ${holder}`}`;
  return {
    stages: stagesBetween(STAGES, back, plan.stages.at(-1)!),
    resumed: { at: back, reason },
  };
}

function equalParameters(left: Record<string, unknown>, right: Record<string, unknown>): boolean {
  const names = Object.keys(left);
  return names.length === Object.keys(right).length && names.every((name) => left[name] === right[name]);
}
