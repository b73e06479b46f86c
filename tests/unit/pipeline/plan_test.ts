import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { SalesflowError } from "../../../lib/console/errors.ts";
import {
  type CleanSettings,
  planRun,
  resumesAfterLoad,
  rewindToOwnTables,
  stagesOf,
  stageStates,
  type TableRuns,
} from "../../../lib/pipeline/plan.ts";
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
      const planned = planRun({ wanted, found, records: stages, from, to });
      assertEquals([planned.stages, planned.resumed?.at], [plan, resumedAt]);
    });
  }

  const cleanings: [when: string, cleaning: CleanSettings, resumedAt: StageName][] = [
    ["clean is asked for as it was done", { checkDateRange: true, maxRejected: 0.1 }, "load"],
    ["all dates are accepted now", { checkDateRange: false, maxRejected: 0.1 }, "clean"],
    ["as many refused rows as there are may be", { checkDateRange: true, maxRejected: 0.05 }, "load"],
    ["fewer refused rows than there are may be", { checkDateRange: true, maxRejected: 0.04 }, "clean"],
  ];
  for (const [when, cleaning, resumedAt] of cleanings) {
    it(`goes on with ${resumedAt} when ${when}`, () => {
      const stages = records("migrate", "generate", "clean", "load!");
      stages.get("clean")!.facts = { date_from: "2025-11-25", rejected: 5, rows_in: 100 };
      const { resumed } = planRun({ wanted: RUN, found: RUN, records: stages, cleaning });
      assertEquals(resumed?.at, resumedAt);
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

describe("planRun() of a run that was ingested", () => {
  const half: [what: string, found: RunRecord | undefined, stages: Map<StageName, StageRecord>][] = [
    ["failed", INGESTED, records("ingest!")],
    ["failed before there was a run", undefined, records("ingest!")],
    ["was interrupted", INGESTED, records("ingest?")],
    ["failed after an earlier one was finished", INGESTED, records("migrate", ...from("clean"), "ingest!")],
  ];
  for (const [what, found, stages] of half) {
    it(`planRun() refuses what an earlier export left when ingest ${what}`, () => {
      const plan = { wanted: RUN, found, records: stages };
      const error = assertThrows(() => planRun(plan), SalesflowError, "The last ingest of run r ");
      assertEquals(error.exitCode, 2);
      assertMatch(error.remedy!, /salesflow ingest FILE… --run-id r again.*--from clean/);
      if (found) assertEquals(planRun({ ...plan, from: "clean" }).stages, ["migrate", ...from("clean")]);
    });
  }

  it("planRun() names the failure of the ingest", () => {
    const failed = records("ingest!");
    failed.get("ingest")!.error = { message: "There is no file a.csv", remedy: null, exit_code: 2 };
    assertThrows(
      () => planRun({ wanted: RUN, found: INGESTED, records: failed }),
      SalesflowError,
      "The last ingest of run r failed: There is no file a.csv",
    );
  });
});

describe("planRun() when it goes on", () => {
  const reasons: [stages: Map<StageName, StageRecord>, because: string][] = [
    [records("migrate", "generate"), "it comes next"],
    [records("migrate", "generate", "clean!"), "an earlier attempt stopped there"],
    [records("migrate", "generate", "clean?"), "an earlier attempt stopped there"],
    [records("migrate", "clean", "generate"), "a stage before it was done again since"],
  ];
  for (const [stages, because] of reasons) {
    it(`planRun() says that ${because}`, () => {
      const { resumed } = planRun({ wanted: RUN, found: RUN, records: stages });
      assertEquals(resumed, { at: "clean", because });
    });
  }
});

describe("rewindToOwnTables()", () => {
  const done = ["migrate", "generate", "clean", "load", "aggregate", "transfer", "verify", "report"];
  const stoppedAt = (stage: StageName) =>
    planRun({
      wanted: RUN,
      found: RUN,
      records: records(...done.slice(0, done.indexOf(stage)), `${stage}!`),
      to: "report",
    });
  const cases: [at: StageName, tables: TableRuns, first: StageName, because: string][] = [
    ["transfer", { loaded: "r", aggregated: "r" }, "transfer", "an earlier attempt stopped there"],
    ["aggregate", { loaded: "r", aggregated: "b" }, "aggregate", "an earlier attempt stopped there"],
    ["transfer", { loaded: "b", aggregated: "b" }, "load", "shop.sales belongs to run b by now"],
    ["transfer", { loaded: "b", aggregated: "r" }, "load", "shop.sales belongs to run b by now"],
    ["aggregate", { loaded: "b", aggregated: "b" }, "load", "shop.sales belongs to run b by now"],
    ["report", { loaded: "b", aggregated: "b" }, "load", "shop.sales belongs to run b by now"],
    ["report", { loaded: null, aggregated: null }, "load", "shop.sales belongs to no run by now"],
    [
      "verify",
      { loaded: "r", aggregated: "b" },
      "aggregate",
      "shop.sales_aggregates belongs to run b by now",
    ],
  ];
  for (const [at, tables, first, because] of cases) {
    it(`goes on with ${first} when ${at} is open and the tables hold ${JSON.stringify(tables)}`, () => {
      const plan = stoppedAt(at);
      assertEquals(resumesAfterLoad(plan), true);
      assertEquals(rewindToOwnTables(plan, "r", tables), {
        stages: ["migrate", ...from(first)],
        resumed: { at: first, because },
      });
    });
  }

  it("is not called for when the run goes on before the tables, or begins where it was told to", () => {
    assertEquals(["clean", "load"].map((stage) => resumesAfterLoad(stoppedAt(stage as StageName))), [
      false,
      false,
    ]);
    const told = planRun({ wanted: RUN, found: RUN, records: records(...done), from: "transfer" });
    assertEquals(resumesAfterLoad(told), false);
  });
});

describe("stageStates()", () => {
  const cases: [marks: string[], outdated: StageName[]][] = [
    [["migrate", "generate", "clean", "load"], []],
    [["generate", "clean", "load", "migrate"], []],
    [["clean", "load", "generate"], ["clean", "load"]],
    // Loaded again, but from rows that were cleaned before.
    [["clean", "generate", "load"], ["clean", "load"]],
    [["load", "generate", "clean!"], ["load"]],
    [["report", "generate", "clean", "load", "aggregate", "transfer", "verify!"], ["report"]],
  ];
  for (const [marks, outdated] of cases) {
    it(`finds ${outdated.join(" and ") || "nothing"} outdated after ${marks.join(", ")}`, () => {
      const states = stageStates(ALL, records(...marks));
      assertEquals(ALL.filter((stage) => states.get(stage) === "outdated"), outdated);
    });
  }
});

describe("stagesOf()", () => {
  it("has ingest in the place of generate when the run is ingested", () => {
    assertEquals(stagesOf("generated"), ALL);
    assertEquals(stagesOf("ingested"), ALL.with(ALL.indexOf("generate"), "ingest"));
  });
});
