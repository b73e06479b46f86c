import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { SalesflowError } from "../../../lib/errors.ts";
import { planRun, stagesOf } from "../../../lib/pipeline/plan.ts";
import type { RunRecord, StageRecord } from "../../../lib/pipeline/records.ts";
import { type StageName, STAGES } from "../../../lib/pipeline/stage.ts";

const RUN: RunRecord = {
  run_id: "r",
  as_of: "2026-11-24",
  source: "generated",
  parameters: { seed: 1, rows: 10, defect_rate: 0.02, products: 5, customers: 7 },
};
const INGESTED: RunRecord = { ...RUN, source: "ingested", parameters: { files: ["a.csv"] } };
const ALL: StageName[] = [...STAGES];

const time = (minute: number) => `2026-11-24T09:${String(minute).padStart(2, "0")}:00.000Z`;

/** Records of stages that follow one another; `!` marks a failed one, `?` one that is still running. */
function records(...marks: string[]): Map<StageName, StageRecord> {
  return new Map(marks.map((mark, index) => {
    const stage = mark.replace(/[!?]$/, "") as StageName;
    const status = mark.endsWith("!") ? "failed" : mark.endsWith("?") ? "running" : "done";
    return [stage, {
      stage,
      status,
      engine: "native",
      attempt: 1,
      started_at: time(index * 2),
      finished_at: status === "running" ? null : time(index * 2 + 1),
      seconds: 1,
      rows_in: 1,
      rows_out: 1,
      facts: {},
      error: null,
    }];
  }));
}

interface Case {
  when: string;
  found?: RunRecord;
  wanted?: RunRecord;
  stages?: Map<StageName, StageRecord>;
  from?: StageName;
  to?: StageName;
  plan: StageName[];
  resumedAt?: StageName;
}

const from = (stage: StageName) => ALL.slice(ALL.indexOf(stage));

const CASES: Case[] = [
  { when: "there is no run yet", plan: ALL },
  { when: "a run was opened and nothing done", found: RUN, plan: ALL },
  { when: "the run is finished", found: RUN, stages: records(...ALL), plan: ALL },
  {
    when: "generate failed",
    found: RUN,
    stages: records("migrate", "generate!"),
    plan: ALL,
  },
  {
    when: "clean failed",
    found: RUN,
    stages: records("migrate", "generate", "clean!"),
    plan: ["migrate", ...from("clean")],
    resumedAt: "clean",
  },
  {
    when: "load was killed",
    found: RUN,
    stages: records("migrate", "generate", "clean", "load?"),
    plan: ["migrate", ...from("load")],
    resumedAt: "load",
  },
  {
    when: "report alone is missing",
    found: RUN,
    stages: records("migrate", "generate", "clean", "load", "aggregate", "transfer", "verify"),
    plan: ["migrate", "report"],
    resumedAt: "report",
  },
  {
    when: "migrate failed, but everything after it is done",
    found: RUN,
    stages: records("migrate!", ...ALL.slice(1)),
    plan: ALL,
  },
  {
    when: "generate was done again after clean",
    found: RUN,
    stages: records("migrate", "clean", "load", "aggregate", "transfer", "verify", "report", "generate"),
    plan: ["migrate", ...from("clean")],
    resumedAt: "clean",
  },
  {
    when: "another seed is asked for",
    found: RUN,
    wanted: { ...RUN, parameters: { ...RUN.parameters, seed: 2 } },
    stages: records("migrate", "generate", "clean!"),
    plan: ALL,
  },
  {
    when: "another as-of date is asked for",
    found: RUN,
    wanted: { ...RUN, as_of: "2026-11-23" },
    stages: records("migrate", "generate", "clean!"),
    plan: ALL,
  },
  {
    when: "the parameters are the same in another order",
    found: { ...RUN, parameters: Object.fromEntries(Object.entries(RUN.parameters).toReversed()) },
    stages: records("migrate", "generate", "clean!"),
    plan: ["migrate", ...from("clean")],
    resumedAt: "clean",
  },
  {
    when: "the run is ingested",
    found: INGESTED,
    stages: records("ingest"),
    plan: ["migrate", ...from("clean")],
    resumedAt: "clean",
  },
  {
    when: "the run is ingested and finished",
    found: INGESTED,
    stages: records("ingest", "migrate", ...from("clean")),
    plan: ["migrate", ...from("clean")],
  },
  {
    when: "an ingested run stopped at transfer",
    found: INGESTED,
    stages: records("ingest", "migrate", "clean", "load", "aggregate", "transfer!"),
    plan: ["migrate", ...from("transfer")],
    resumedAt: "transfer",
  },
  { when: "it begins with load", found: RUN, from: "load", plan: ["migrate", ...from("load")] },
  { when: "it begins with migrate", found: RUN, from: "migrate", plan: ALL },
  {
    when: "it begins with a stage before the one that failed",
    found: RUN,
    stages: records("migrate", "generate", "clean", "load!"),
    from: "clean",
    plan: ["migrate", ...from("clean")],
  },
  { when: "it ends with clean", to: "clean", plan: ["generate", "clean"] },
  { when: "it ends with load", to: "load", plan: ["migrate", "generate", "clean", "load"] },
  { when: "it ends with migrate", to: "migrate", plan: ["migrate"] },
  {
    when: "it ends with migrate, of a finished run",
    found: RUN,
    stages: records(...ALL),
    to: "migrate",
    plan: ["migrate"],
  },
  {
    when: "it ends before the stage that failed",
    found: RUN,
    stages: records("migrate", "generate", "clean", "load", "aggregate", "transfer!"),
    to: "clean",
    plan: ["generate", "clean"],
  },
  {
    when: "it ends with the stage that failed",
    found: RUN,
    stages: records("migrate", "generate", "clean", "load", "aggregate", "transfer!"),
    to: "transfer",
    plan: ["migrate", "transfer"],
    resumedAt: "transfer",
  },
  { when: "it is one stage only", found: RUN, from: "clean", to: "clean", plan: ["clean"] },
  { when: "it is verify only", found: RUN, from: "verify", to: "verify", plan: ["migrate", "verify"] },
];

describe("planRun()", () => {
  for (const { when, found, wanted = RUN, stages = records(), from, to, plan, resumedAt } of CASES) {
    it(`plans ${plan.join(", ")} when ${when}`, () => {
      const expected = resumedAt ? { stages: plan, resumedAt } : { stages: plan };
      assertEquals(planRun({ wanted, found, records: stages, from, to }), expected);
    });
  }

  const wrong: [
    what: string,
    found: RunRecord | undefined,
    from: StageName | undefined,
    to: StageName | undefined,
  ][] = [
    ["the end is before the beginning", RUN, "load", "clean"],
    ["an ingested run is to be generated", INGESTED, "generate", undefined],
    ["a generated run is to be ingested", RUN, "ingest", undefined],
    ["an ingested run is to end with generate", INGESTED, undefined, "generate"],
  ];
  for (const [what, found, from, to] of wrong) {
    it(`refuses when ${what}`, () => {
      const error = assertThrows(
        () => planRun({ wanted: RUN, found, records: records(), from, to }),
        SalesflowError,
        "Cannot run from",
      );
      assertEquals(error.exitCode, 2);
    });
  }
});

describe("stagesOf()", () => {
  it("has ingest in the place of generate when the run is ingested", () => {
    assertEquals(stagesOf("generated"), ALL);
    assertEquals(stagesOf("ingested"), ALL.with(ALL.indexOf("generate"), "ingest"));
  });
});
