import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { SalesflowError } from "../../../lib/console/errors.ts";
import {
  type CleanSettings,
  computeStageStates,
  isInProgress,
  orderStages,
  planRun,
  resumesAfterLoad,
  rewindPlan,
  splitStages,
  stageOrder,
  type TableRuns,
  validateStageRange,
} from "../../../lib/pipeline/plan.ts";
import type { RunRecord, StageRecord } from "../../../lib/pipeline/records.ts";
import { type StageName, STAGES } from "../../../lib/pipeline/stage.ts";
import { stageRecord } from "./stage_record.ts";

const RUN: RunRecord = {
  run_id: "r",
  as_of: "2026-11-24",
  source: "generated",
  parameters: { seed: 1, rows: 10, defect_rate: 0.02, products: 5, customers: 7 },
};
const INGESTED: RunRecord = { ...RUN, source: "ingested", parameters: { files: ["a.csv"] } };
const ALL: StageName[] = [...STAGES];

const time = (minute: number) => `2026-11-24T09:${String(minute).padStart(2, "0")}:00.000Z`;

/** Records of stages that ran one after another; `!` marks a failed one, `?` one still running. */
function records(...marks: string[]): Map<StageName, StageRecord> {
  return new Map(marks.map((mark, index) => {
    const stage = mark.replace(/[!?]$/, "") as StageName;
    const status = mark.endsWith("!") ? "failed" : mark.endsWith("?") ? "running" : "done";
    const [started_at, end] = [time(index * 2), time(index * 2 + 1)];
    return [
      stage,
      stageRecord(stage, { status, started_at, finished_at: status === "running" ? null : end }),
    ];
  }));
}

interface Case {
  when: string;
  existing?: RunRecord;
  requested?: RunRecord;
  stages?: Map<StageName, StageRecord>;
  from?: StageName;
  to?: StageName;
  plan: StageName[];
  resumedAt?: StageName;
}

const from = (stage: StageName) => ALL.slice(ALL.indexOf(stage));

const CASES: Case[] = [
  { when: "there is no run yet", plan: ALL },
  { when: "a run is recorded, but no stage of it", existing: RUN, plan: ALL },
  { when: "the run is finished", existing: RUN, stages: records(...ALL), plan: ALL },
  {
    when: "generate failed",
    existing: RUN,
    stages: records("migrate", "generate!"),
    plan: ALL,
  },
  {
    when: "clean failed",
    existing: RUN,
    stages: records("migrate", "generate", "clean!"),
    plan: ["migrate", ...from("clean")],
    resumedAt: "clean",
  },
  {
    when: "load was interrupted",
    existing: RUN,
    stages: records("migrate", "generate", "clean", "load?"),
    plan: ["migrate", ...from("load")],
    resumedAt: "load",
  },
  {
    when: "only report is missing",
    existing: RUN,
    stages: records("migrate", "generate", "clean", "load", "aggregate", "transfer", "verify"),
    plan: ["migrate", "report"],
    resumedAt: "report",
  },
  {
    when: "migrate failed, but all later stages are done",
    existing: RUN,
    stages: records("migrate!", ...ALL.slice(1)),
    plan: ALL,
  },
  {
    when: "generate has run again after clean",
    existing: RUN,
    stages: records("migrate", "clean", "load", "aggregate", "transfer", "verify", "report", "generate"),
    plan: ["migrate", ...from("clean")],
    resumedAt: "clean",
  },
  {
    when: "another seed is requested",
    existing: RUN,
    requested: { ...RUN, parameters: { ...RUN.parameters, seed: 2 } },
    stages: records("migrate", "generate", "clean!"),
    plan: ALL,
  },
  {
    when: "another as-of date is requested",
    existing: RUN,
    requested: { ...RUN, as_of: "2026-11-23" },
    stages: records("migrate", "generate", "clean!"),
    plan: ALL,
  },
  {
    when: "the parameters are the same in another order",
    existing: { ...RUN, parameters: Object.fromEntries(Object.entries(RUN.parameters).toReversed()) },
    stages: records("migrate", "generate", "clean!"),
    plan: ["migrate", ...from("clean")],
    resumedAt: "clean",
  },
  {
    when: "the run is ingested",
    existing: INGESTED,
    stages: records("ingest"),
    plan: ["migrate", ...from("clean")],
    resumedAt: "clean",
  },
  {
    when: "the run is ingested and finished",
    existing: INGESTED,
    stages: records("ingest", "migrate", ...from("clean")),
    plan: ["migrate", ...from("clean")],
  },
  {
    when: "an ingested run stopped at transfer",
    existing: INGESTED,
    stages: records("ingest", "migrate", "clean", "load", "aggregate", "transfer!"),
    plan: ["migrate", ...from("transfer")],
    resumedAt: "transfer",
  },
  { when: "it starts at load", existing: RUN, from: "load", plan: ["migrate", ...from("load")] },
  { when: "it starts at migrate", existing: RUN, from: "migrate", plan: ALL },
  {
    when: "it starts at a stage before the failed one",
    existing: RUN,
    stages: records("migrate", "generate", "clean", "load!"),
    from: "clean",
    plan: ["migrate", ...from("clean")],
  },
  { when: "it ends at clean", to: "clean", plan: ["generate", "clean"] },
  { when: "it ends at load", to: "load", plan: ["migrate", "generate", "clean", "load"] },
  { when: "it ends at migrate", to: "migrate", plan: ["migrate"] },
  {
    when: "it ends at migrate and the run is finished",
    existing: RUN,
    stages: records(...ALL),
    to: "migrate",
    plan: ["migrate"],
  },
  {
    when: "it ends before the failed stage",
    existing: RUN,
    stages: records("migrate", "generate", "clean", "load", "aggregate", "transfer!"),
    to: "clean",
    plan: ["generate", "clean"],
  },
  {
    when: "it ends at the failed stage",
    existing: RUN,
    stages: records("migrate", "generate", "clean", "load", "aggregate", "transfer!"),
    to: "transfer",
    plan: ["migrate", "transfer"],
    resumedAt: "transfer",
  },
  { when: "only clean is requested", existing: RUN, from: "clean", to: "clean", plan: ["clean"] },
  {
    when: "only verify is requested",
    existing: RUN,
    from: "verify",
    to: "verify",
    plan: ["migrate", "verify"],
  },
];

describe("planRun()", () => {
  for (const { when, existing, requested = RUN, stages = records(), from, to, plan, resumedAt } of CASES) {
    it(`plans ${plan.join(", ")} when ${when}`, () => {
      const planned = planRun({ requested, existing, records: stages, from, to });
      assertEquals([planned.stages, planned.resumed?.at], [plan, resumedAt]);
    });
  }

  const settings: [when: string, cleanSettings: CleanSettings, resumedAt: StageName][] = [
    ["the options of clean are unchanged", { checkDateRange: true, maxRejected: 0.1 }, "load"],
    ["the date range is no longer checked", { checkDateRange: false, maxRejected: 0.1 }, "clean"],
    [
      "the share of rejected rows equals the new maximum",
      { checkDateRange: true, maxRejected: 0.05 },
      "load",
    ],
    [
      "the share of rejected rows exceeds the new maximum",
      { checkDateRange: true, maxRejected: 0.04 },
      "clean",
    ],
  ];
  for (const [when, cleanSettings, resumedAt] of settings) {
    it(`resumes at ${resumedAt} when ${when}`, () => {
      const stages = records("migrate", "generate", "clean", "load!");
      stages.get("clean")!.facts = { date_from: "2025-11-25", rejected: 5, rows_in: 100 };
      const { resumed } = planRun({ requested: RUN, existing: RUN, records: stages, cleanSettings });
      assertEquals(resumed?.at, resumedAt);
    });
  }

  const invalid: [
    what: string,
    existing: RunRecord | undefined,
    from: StageName | undefined,
    to: StageName | undefined,
  ][] = [
    ["it ends before it starts", RUN, "load", "clean"],
    ["an ingested run starts at generate", INGESTED, "generate", undefined],
    ["a generated run starts at ingest", RUN, "ingest", undefined],
    ["an ingested run ends at generate", INGESTED, undefined, "generate"],
  ];
  for (const [what, existing, from, to] of invalid) {
    it(`throws when ${what}`, () => {
      const error = assertThrows(
        () => planRun({ requested: RUN, existing, records: records(), from, to }),
        SalesflowError,
        "Cannot run from",
      );
      assertEquals(error.exitCode, 2);
    });
  }
});

describe("planRun() after an incomplete ingest", () => {
  const incomplete: [what: string, existing: RunRecord | undefined, stages: Map<StageName, StageRecord>][] = [
    ["failed", INGESTED, records("ingest!")],
    ["failed before the run was recorded", undefined, records("ingest!")],
    ["was interrupted", INGESTED, records("ingest?")],
    ["failed after an earlier one succeeded", INGESTED, records("migrate", ...from("clean"), "ingest!")],
  ];
  for (const [what, existing, stages] of incomplete) {
    it(`throws when ingest ${what}, unless it starts at clean`, () => {
      const input = { requested: RUN, existing, records: stages };
      const error = assertThrows(() => planRun(input), SalesflowError, "The last ingest of run r ");
      assertEquals(error.exitCode, 2);
      assertMatch(error.remedy!, /salesflow ingest FILE… --run-id r again.*--from clean/);
      if (existing) assertEquals(planRun({ ...input, from: "clean" }).stages, ["migrate", ...from("clean")]);
    });
  }

  it("throws when another as-of date is requested than that of the ingest", () => {
    const existing: RunRecord = { ...RUN, source: "ingested", parameters: { files: ["a.csv"] } };
    const requested = { ...RUN, as_of: "2026-12-01" };
    const ingested = { existing, records: records("ingest", "clean") };
    for (const input of [{ requested }, { requested, from: "clean" as const }]) {
      assertThrows(
        () => planRun({ ...ingested, ...input }),
        SalesflowError,
        "is as of 2026-11-24, not 2026-12-01",
      );
    }
    planRun({ ...ingested, requested: RUN });
  });

  it("reports why the ingest failed", () => {
    const failed = records("ingest!");
    failed.get("ingest")!.error = { message: "There is no file a.csv", remedy: null, exit_code: 2 };
    assertThrows(
      () => planRun({ requested: RUN, existing: INGESTED, records: failed }),
      SalesflowError,
      "The last ingest of run r failed: There is no file a.csv",
    );
  });
});

describe("planRun() of a resumed run", () => {
  const reasons: [stages: Map<StageName, StageRecord>, reason: string][] = [
    [records("migrate", "generate"), "it is the next stage"],
    [records("migrate", "generate", "clean!"), "an earlier attempt stopped there"],
    [records("migrate", "generate", "clean?"), "an earlier attempt stopped there"],
    [records("migrate", "clean", "generate"), "an earlier stage has run again since"],
  ];
  for (const [stages, reason] of reasons) {
    it(`gives the reason: ${reason}`, () => {
      const { resumed } = planRun({ requested: RUN, existing: RUN, records: stages });
      assertEquals(resumed, { at: "clean", reason });
    });
  }
});

describe("rewindPlan()", () => {
  const done = ["migrate", "generate", "clean", "load", "aggregate", "transfer", "verify", "report"];
  const stoppedAt = (stage: StageName) =>
    planRun({
      requested: RUN,
      existing: RUN,
      records: records(...done.slice(0, done.indexOf(stage)), `${stage}!`),
      to: "report",
    });
  const cases: [at: StageName, tables: TableRuns, first: StageName, reason: string][] = [
    ["transfer", { loaded: "r", aggregated: "r" }, "transfer", "an earlier attempt stopped there"],
    ["aggregate", { loaded: "r", aggregated: "b" }, "aggregate", "an earlier attempt stopped there"],
    ["transfer", { loaded: "b", aggregated: "b" }, "load", "shop.sales now holds run b"],
    ["transfer", { loaded: "b", aggregated: "r" }, "load", "shop.sales now holds run b"],
    ["aggregate", { loaded: "b", aggregated: "b" }, "load", "shop.sales now holds run b"],
    ["report", { loaded: "b", aggregated: "b" }, "load", "shop.sales now holds run b"],
    ["report", { loaded: null, aggregated: null }, "load", "shop.sales holds no run"],
    [
      "verify",
      { loaded: "r", aggregated: "b" },
      "aggregate",
      "shop.sales_aggregates now holds run b",
    ],
  ];
  for (const [at, tables, first, reason] of cases) {
    it(`resumes ${at} at ${first} when the tables hold ${JSON.stringify(tables)}`, () => {
      const plan = stoppedAt(at);
      assertEquals(resumesAfterLoad(plan), true);
      assertEquals(rewindPlan(plan, "r", tables), {
        stages: ["migrate", ...from(first)],
        resumed: { at: first, reason },
      });
    });
  }

  it("resumesAfterLoad() is false when the run resumes at or before load, or starts where requested", () => {
    assertEquals(["clean", "load"].map((stage) => resumesAfterLoad(stoppedAt(stage as StageName))), [
      false,
      false,
    ]);
    const requested = planRun({ requested: RUN, existing: RUN, records: records(...done), from: "transfer" });
    assertEquals(resumesAfterLoad(requested), false);
  });
});

describe("computeStageStates()", () => {
  const cases: [marks: string[], outdated: StageName[]][] = [
    [["migrate", "generate", "clean", "load"], []],
    [["generate", "clean", "load", "migrate"], []],
    [["clean", "load", "generate"], ["clean", "load"]],
    // Loaded again, but from rows cleaned before the new generate.
    [["clean", "generate", "load"], ["clean", "load"]],
    [["load", "generate", "clean!"], ["load"]],
    [["report", "generate", "clean", "load", "aggregate", "transfer", "verify!"], ["report"]],
  ];
  for (const [marks, outdated] of cases) {
    it(`marks ${outdated.join(" and ") || "nothing"} outdated after ${marks.join(", ")}`, () => {
      const states = computeStageStates(ALL, records(...marks));
      assertEquals(ALL.filter((stage) => states.get(stage) === "outdated"), outdated);
    });
  }
});

describe("stageOrder()", () => {
  it("has ingest in place of generate when the run is ingested", () => {
    assertEquals(stageOrder("generated"), ALL);
    assertEquals(stageOrder("ingested"), ALL.with(ALL.indexOf("generate"), "ingest"));
  });
});

describe("orderStages()", () => {
  const all = records("ingest", "clean");
  it("follows the run; without it, an ingest means an ingested run", () => {
    assertEquals(orderStages(undefined, all).order, stageOrder("ingested"));
    assertEquals(orderStages(undefined, records("clean")).order, stageOrder("generated"));
    assertEquals(orderStages(RUN, all).order, stageOrder("generated"));
  });
  it("leaves out records of stages that the run does not have", () => {
    assertEquals([...orderStages(RUN, all).records.keys()], ["clean"]);
    assertEquals([...orderStages(undefined, all).records.keys()], ["ingest", "clean"]);
  });
});

describe("validateStageRange()", () => {
  it("accepts a stage and itself, or a later one", () => {
    validateStageRange(STAGES, "clean", "clean");
    validateStageRange(STAGES, "migrate", "report");
  });

  it("throws when the order is reversed or lacks a stage, and names the order", () => {
    for (const [first, last] of [["load", "clean"], ["ingest", "clean"], ["clean", "ingest"]] as const) {
      const error = assertThrows(
        () => validateStageRange(STAGES, first, last),
        SalesflowError,
        `Cannot run from ${first} to ${last}: the order is migrate, generate, clean, `,
      );
      assertEquals(error.exitCode, 2);
    }
  });
});

describe("splitStages()", () => {
  it("separates the stages from load on", () => {
    assertEquals(splitStages(["migrate", "clean", "load", "report"]), {
      files: ["migrate", "clean"],
      tables: ["load", "report"],
    });
    assertEquals(splitStages(["migrate", "ingest"]), { files: ["migrate", "ingest"], tables: [] });
  });
});

describe("isInProgress()", () => {
  const cases: [...marks: string[]][] = [["load"], ["load", "report!"], ["load", "report?"], [
    "report",
    "load",
  ]];
  for (const marks of cases) {
    it(`is true after ${marks.join(", ")}`, () => {
      const found = records(...marks);
      assertEquals(isInProgress(found.get("load"), found.get("report")), true);
    });
  }

  for (const marks of [[], ["load!"], ["load?"], ["load", "report"], ["load", "report", "verify!"]]) {
    it(`is false after ${marks.join(", ") || "nothing"}`, () => {
      const found = records(...marks);
      assertEquals(isInProgress(found.get("load"), found.get("report")), false);
    });
  }
});
