/** Which stages a run has to do. No I/O. */
import { SalesflowError } from "../errors.ts";
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
  from?: StageName | undefined;
  to?: StageName | undefined;
}

/** What to do and why it begins where it begins. */
export interface Plan {
  stages: StageName[];
  /** The stage that an earlier attempt did not get through; undefined for a run from the start. */
  resumedAt?: StageName;
}

/** The stages of a run: an ingested run has `ingest` where others have `generate`. */
export function stagesOf(source: RunRecord["source"]): StageName[] {
  return STAGES.map((stage) => stage === "generate" && source === "ingested" ? "ingest" : stage);
}

/** The first stage that is not done, or was done before the stage it builds on; undefined when all are done. */
function firstOpen(order: readonly StageName[], records: PlanInput["records"]): StageName | undefined {
  let before = "";
  for (const stage of order) {
    const record = records.get(stage);
    if (record?.status !== "done" || record.started_at < before) return stage;
    before = record.finished_at ?? "";
  }
  return undefined;
}

/**
 * Plans a run: from the start, from `from`, or, when an earlier attempt at the same run stopped half way, from where it stopped. Tables are
 * always migrated first when a later stage needs them.
 *
 * @throws {SalesflowError} when the stages asked for cannot be run in this order
 */
export function planRun({ wanted, found, records, from, to }: PlanInput): Plan {
  const ingested = found?.source === "ingested";
  const order = stagesOf(ingested ? "ingested" : "generated");
  const last = to ?? "report";
  // What comes after the last stage that is asked for does not matter.
  const data = order.slice(1, Math.max(1, order.indexOf(last) + 1));
  const same = ingested ||
    (!!found && found.as_of === wanted.as_of && isSame(found.parameters, wanted.parameters));
  const open = same ? firstOpen(data, records) : undefined;
  const resumes = from === undefined && open !== undefined && open !== data[0];
  const first = from ?? (last === "migrate" ? "migrate" : resumes ? open : ingested ? "clean" : "generate");
  if (order.indexOf(first) < 0 || order.indexOf(last) < 0 || order.indexOf(first) > order.indexOf(last)) {
    throw new SalesflowError(`Cannot run from ${first} to ${last}: the order is ${order.join(", ")}`, {
      exitCode: 2,
    });
  }
  const stages = order.slice(order.indexOf(first), order.indexOf(last) + 1);
  const needsTables = stages.some((stage) => order.indexOf(stage) >= order.indexOf("load"));
  if (needsTables && stages[0] !== "migrate") stages.unshift("migrate");
  return resumes ? { stages, resumedAt: first } : { stages };
}

function isSame(left: Record<string, unknown>, right: Record<string, unknown>): boolean {
  const names = Object.keys(left);
  return names.length === Object.keys(right).length && names.every((name) => left[name] === right[name]);
}
