import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type PlanInput, planRun } from "../../../lib/pipeline/plan.ts";
import { previewPlan } from "../../../lib/pipeline/preview.ts";
import type { RunRecord, StageRecord } from "../../../lib/pipeline/records.ts";
import { type StageName, STAGES } from "../../../lib/pipeline/stage.ts";
import { stageRecord } from "./stage_record.ts";

const RUN: RunRecord = {
  run_id: "r",
  as_of: "2026-11-24",
  source: "generated",
  parameters: { seed: 1, rows: 10 },
};

function done(stages: readonly StageName[]): Map<StageName, StageRecord> {
  return new Map(stages.map((stage, index) => [
    stage,
    stageRecord(stage, {
      started_at: `2026-11-24T09:0${index}:00.000Z`,
      finished_at: `2026-11-24T09:0${index}:30.000Z`,
    }),
  ]));
}

function preview(input: Partial<PlanInput>) {
  const whole: PlanInput = { requested: RUN, existing: undefined, records: new Map(), ...input };
  return previewPlan(planRun(whole), whole);
}

describe("previewPlan()", () => {
  const starts: [when: string, input: Partial<PlanInput>, stage: StageName, reason: string][] = [
    ["the run is new", {}, "generate", "the run is new"],
    ["nothing is done yet", { existing: RUN }, "generate", "it is not done yet"],
    [
      "the run is finished",
      { existing: RUN, records: done(STAGES) },
      "generate",
      "the run is finished, so it starts over",
    ],
    [
      "parameters differ",
      { existing: { ...RUN, parameters: { seed: 1, rows: 20 } }, records: done(STAGES) },
      "generate",
      "other parameters: rows 20 → 10",
    ],
    [
      "it resumes",
      { existing: RUN, records: done(["migrate", "generate", "clean"]) },
      "load",
      "it is the next stage",
    ],
    [
      "--from names a stage",
      { existing: RUN, records: done(STAGES), from: "transfer" },
      "transfer",
      "it is the requested first stage",
    ],
    [
      "--from names a stage that never ran",
      { existing: RUN, records: done(["generate"]), from: "clean" },
      "clean",
      "it is the requested first stage; it was never started",
    ],
    ["only migrate is wanted", { to: "migrate" }, "migrate", "the run is new"],
  ];
  for (const [when, input, stage, reason] of starts) {
    it(`says why it begins where it begins when ${when}`, () => {
      assertEquals(preview(input).stages.find((each) => each.stage === stage)?.reason, reason);
    });
  }

  it("lists every stage with its state and its reason, and what is kept", () => {
    const records = done(["generate", "clean", "load"]);
    const { stages, kept } = preview({ existing: RUN, records, to: "transfer" });
    assertEquals(stages, [
      { stage: "migrate", state: null, reason: "later stages need the tables as this version makes them" },
      { stage: "aggregate", state: null, reason: "it is the next stage" },
      { stage: "transfer", state: null, reason: "its input comes from aggregate" },
    ]);
    assertEquals(kept, ["generate", "clean", "load"]);
  });
});
