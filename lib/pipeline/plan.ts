/** Which stages a run has to do. No I/O. */
import { SalesflowError } from "../console/errors.ts";
import type { RunRecord, StageRecord } from "./records.ts";
import { type StageName, STAGES } from "./stage.ts";

/** What is known of a run before it is planned. */
export interface PlanInput {
  /** The run as it would be generated now. */
  wanted: RunRecord;
  /** The run as it was opened; undefined when there is none. */
  found: RunRecord | undefined;
  /** How its stages went. */
  records: ReadonlyMap<StageName, StageRecord>;
  /** What `clean` was asked for now; without it, whatever it did is right. */
  cleaning?: CleanSettings;
  from?: StageName | undefined;
  to?: StageName | undefined;
}

/** The options of `clean` that decide what is in clean/. */
export interface CleanSettings {
  checkDateRange: boolean;
  /** The largest share of refused rows that is still published. */
  maxRejected: number;
}

/** What to do and why it begins where it begins. */
export interface Plan {
  stages: StageName[];
  /** Where the run goes on, and why there; undefined for a run from the start or from a stage that was asked for. */
  resumed?: { at: StageName; because: string };
}

/** Runs that PostgreSQL's tables belong to; null when they belong to none. */
export interface TableRuns {
  /** Of shop.sales. */
  loaded: string | null;
  /** Of shop.sales_aggregates. */
  aggregated: string | null;
}

/** The stages of a run: an ingested run has `ingest` where others have `generate`. */
export function stagesOf(source: RunRecord["source"]): StageName[] {
  return STAGES.map((stage) => stage === "generate" && source === "ingested" ? "ingest" : stage);
}

/** How a stage stands: as its record says, or `outdated` when a stage before it was started again since. */
export type StageState = StageRecord["status"] | "outdated";

/** How the stages that have a record stand. Tables are migrated for their own sake: that outdates nothing. */
export function stageStates(
  order: readonly StageName[],
  records: PlanInput["records"],
): Map<StageName, StageState> {
  const states = new Map<StageName, StageState>();
  let before = "";
  let outdated = false;
  for (const stage of order) {
    const record = records.get(stage);
    if (!record) continue;
    if (stage === "migrate") {
      states.set(stage, record.status);
      continue;
    }
    outdated ||= record.status === "done" && record.started_at < before;
    states.set(stage, outdated && record.status === "done" ? "outdated" : record.status);
    const last = record.finished_at ?? record.started_at;
    if (last > before) before = last;
  }
  return states;
}

/** Whether clean/, which an earlier attempt made, is what these options would make. */
function matchesCleanOptions(
  { facts }: StageRecord,
  { checkDateRange, maxRejected }: CleanSettings,
): boolean {
  const share = Number(facts.rejected) / Number(facts.rows_in);
  return (facts.date_from !== null) === checkDateRange && share <= maxRejected;
}

function resumeReason(state: StageState | undefined): string {
  if (state === undefined) return "it comes next";
  if (state === "done") return "it was done with other options";
  return state === "outdated" ? "a stage before it was done again since" : "an earlier attempt stopped there";
}

/** Raw data of an export that did not come in whole are an earlier export's, or none. */
function refuseHalfIngested({ wanted, found, records }: PlanInput): void {
  const ingest = records.get("ingest");
  if (!ingest || ingest.status === "done" || found?.source === "generated") return;
  const run = wanted.run_id;
  const what = ingest.error ? `failed: ${ingest.error.message}` : "was interrupted";
  throw new SalesflowError(`The last ingest of run ${run} ${what}`, {
    exitCode: 2,
    runId: run,
    remedy:
      `Run salesflow ingest FILE… --run-id ${run} again; or pass --from clean to go on with what an earlier ingest left.`,
  });
}

/**
 * Plans a run: from the start, from `from`, or, when an earlier attempt at the same run stopped half way, from where it stopped. Tables are
 * always migrated first when a later stage needs them.
 *
 * @throws {SalesflowError} when the stages asked for cannot be run in this order
 */
export function planRun(input: PlanInput): Plan {
  const { wanted, found, records, cleaning, from, to } = input;
  const ingested = found?.source === "ingested";
  const order = stagesOf(ingested ? "ingested" : "generated");
  const last = to ?? "report";
  if (from === undefined && last !== "migrate") refuseHalfIngested(input);
  // What comes after the last stage that is asked for does not matter.
  const data = order.slice(1, Math.max(1, order.indexOf(last) + 1));
  const same = ingested ||
    (!!found && found.as_of === wanted.as_of && isSame(found.parameters, wanted.parameters));
  const states = stageStates(order, records);
  const isOpen = (stage: StageName) =>
    states.get(stage) !== "done" ||
    (stage === "clean" && !!cleaning && !matchesCleanOptions(records.get(stage)!, cleaning));
  const open = same ? data.find(isOpen) : undefined;
  const resumes = from === undefined && open !== undefined && open !== data[0];
  const first = from ?? (last === "migrate" ? "migrate" : resumes ? open : ingested ? "clean" : "generate");
  const stages = stagesBetween(order, first, last);
  return resumes ? { stages, resumed: { at: first, because: resumeReason(states.get(first)) } } : { stages };
}

/** @throws {SalesflowError} when the stages do not follow one another in this order */
export function checkRange(order: readonly StageName[], first: StageName, last: StageName): void {
  if (order.indexOf(first) < 0 || order.indexOf(last) < 0 || order.indexOf(first) > order.indexOf(last)) {
    throw new SalesflowError(`Cannot run from ${first} to ${last}: the order is ${order.join(", ")}`, {
      exitCode: 2,
    });
  }
}

function stagesBetween(order: readonly StageName[], first: StageName, last: StageName): StageName[] {
  checkRange(order, first, last);
  const stages = order.slice(order.indexOf(first), order.indexOf(last) + 1);
  const needsTables = stages.some((stage) => order.indexOf(stage) >= order.indexOf("load"));
  if (needsTables && stages[0] !== "migrate") stages.unshift("migrate");
  return stages;
}

/** Whether a plan goes on behind load, so that it builds on what the tables hold. */
export function resumesAfterLoad({ resumed }: Plan): boolean {
  return resumed !== undefined &&
    STAGES.indexOf(resumed.at as typeof STAGES[number]) > STAGES.indexOf("load");
}

/** The same plan, begun as much earlier as it must be when another run has used the tables since. */
export function rewindToOwnTables(plan: Plan, runId: string, { loaded, aggregated }: TableRuns): Plan {
  if (!plan.resumed) return plan;
  const { at } = plan.resumed;
  const back = loaded !== runId
    ? "load"
    : at !== "aggregate" && aggregated !== runId
    ? "aggregate"
    : undefined;
  if (!back) return plan;
  const [table, holder] = back === "load" ? ["shop.sales", loaded] : ["shop.sales_aggregates", aggregated];
  const because = `${table} ${holder === null ? "belongs to no run" : `belongs to run ${holder}`} by now`;
  return {
    stages: stagesBetween(STAGES, back, plan.stages.at(-1)!),
    resumed: { at: back, because },
  };
}

function isSame(left: Record<string, unknown>, right: Record<string, unknown>): boolean {
  const names = Object.keys(left);
  return names.length === Object.keys(right).length && names.every((name) => left[name] === right[name]);
}
