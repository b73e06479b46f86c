/** Explains a plan before it is carried out: each stage, and why it would run. No I/O. */
import { computeStageStates, type Plan, type PlanInput, stageOrder, type StageState } from "./plan.ts";
import type { StageName } from "./stage.ts";

/** A stage that would run. */
export interface PreviewedStage {
  /** Its name. */
  stage: StageName;
  /** Its state now; null when it was never started. */
  state: StageState | null;
  /** Why it would run, for people. */
  reason: string;
}

/** What a run would do. */
export interface Preview {
  /** Stages that would run, in order. */
  stages: PreviewedStage[];
  /** Earlier stages whose output would be used as it is. */
  kept: StageName[];
}

/** Describes the parameters that differ, such as `rows 10 → 20`. */
function describeChanges({ requested, existing }: PlanInput): string {
  const before = { as_of: existing!.as_of, ...existing!.parameters };
  const after: Record<string, unknown> = { as_of: requested.as_of, ...requested.parameters };
  return Object.entries(before)
    .filter(([name, value]) => value !== after[name])
    .map(([name, value]) => `${name} ${value} → ${after[name]}`)
    .join(", ");
}

function explainStart(input: PlanInput, plan: Plan, state: StageState | undefined): string {
  const { existing, from } = input;
  if (plan.resumed) return plan.resumed.reason;
  if (from !== undefined) return `it is the requested first stage${state ? "" : "; it was never started"}`;
  if (!existing) return "the run is new";
  const changes = existing.source === "generated" ? describeChanges(input) : "";
  if (changes) return `other parameters: ${changes}`;
  return state === "done" ? "the run is finished, so it starts over" : "it is not done yet";
}

/** Explains a plan that {@linkcode planRun} made of the same input. */
export function previewPlan(plan: Plan, input: PlanInput): Preview {
  const order = stageOrder(input.existing?.source ?? "generated");
  const states = computeStageStates(order, input.records);
  const first = plan.stages.find((stage) => stage !== "migrate") ?? "migrate";
  const stages = plan.stages.map((stage, index): PreviewedStage => {
    const reason = stage === first
      ? explainStart(input, plan, states.get(stage))
      : stage === "migrate"
      ? "later stages need the tables as this version makes them"
      : `its input comes from ${plan.stages[index - 1]}`;
    return { stage, state: states.get(stage) ?? null, reason };
  });
  const before = first === "migrate" ? [] : order.slice(1, order.indexOf(first));
  return { stages, kept: before.filter((stage) => states.has(stage)) };
}
