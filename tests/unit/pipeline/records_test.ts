import { assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeEach, describe, it } from "@std/testing/bdd";
import { SalesflowError } from "../../../lib/console/errors.ts";
import {
  asOfOfRun,
  listRuns,
  rawDataRemedy,
  readRun,
  readStage,
  RUN_ID,
  type RunRecord,
  type StageRecord,
  writeRun,
  writeStage,
} from "../../../lib/pipeline/records.ts";
import { makePlace } from "../store/harness.ts";

const place = await makePlace();
const { store } = place;
afterAll(() => place.remove());
beforeEach(() => store.remove("runs"));

const RUN: RunRecord = {
  run_id: "r-1",
  as_of: "2026-11-24",
  source: "generated",
  parameters: { seed: 1, rows: 2 },
};
const STAGE: StageRecord = {
  stage: "clean",
  status: "failed",
  engine: "native",
  attempt: 2,
  started_at: "2026-11-24T09:45:03.120Z",
  finished_at: "2026-11-24T09:45:03.900Z",
  seconds: 0.78,
  rows_in: null,
  rows_out: null,
  facts: {},
  error: { message: "x", remedy: null, exit_code: 1 },
};

describe("RUN_ID", () => {
  const right = ["2026-11-24", "a", "0", "orders_2026.11", "a".repeat(63), "a-._b", "a."];
  for (const id of right) it(`accepts ${id}`, () => assertEquals(RUN_ID.test(id), true));
  const wrong = [
    "",
    ".",
    "..",
    "a..b",
    "../x",
    "a/b",
    "a\\b",
    "-a",
    "_a",
    ".a",
    "A",
    "я",
    "a b",
    "a\n",
    "a\0",
    "a%2fb",
  ];
  wrong.push("a".repeat(64), "a;b", "a'b", "~");
  for (const id of wrong) it(`refuses ${JSON.stringify(id)}`, () => assertEquals(RUN_ID.test(id), false));
});

describe("records", () => {
  it("are read as they were written", async () => {
    assertEquals([await readRun(store, "r-1"), await readStage(store, "r-1", "clean")], [
      undefined,
      undefined,
    ]);
    await writeRun(store, RUN);
    await writeStage(store, "r-1", STAGE);
    assertEquals([await readRun(store, "r-1"), await readStage(store, "r-1", "clean")], [RUN, STAGE]);
    assertEquals(await readStage(store, "r-1", "load"), undefined);
    assertEquals(await asOfOfRun(store, "r-1"), "2026-11-24");
  });

  it("lie where the contract says, with keys in its order", async () => {
    await writeStage(store, "r-1", STAGE);
    const text = await store.readText("runs/r-1/stages/clean.json");
    assertEquals(text, JSON.stringify(STAGE, null, 2) + "\n");
  });

  const broken = ["", "{", "null", "[]", '{"run_id":"r-1"}', JSON.stringify({ ...RUN, source: "bought" })];
  for (const text of broken) {
    it(`that cannot be understood are named, such as ${text || "an empty file"}`, async () => {
      await store.writeText("runs/r-1/run.json", text);
      const error = await assertRejects(() => readRun(store, "r-1"), SalesflowError, "runs/r-1/run.json");
      assertEquals(error.exitCode, 1);
    });
  }

  it("that are missing are an error where the as-of date is needed", async () => {
    const error = await assertRejects(() => asOfOfRun(store, "r-2"), SalesflowError, "There is no run r-2");
    assertEquals(error.remedy?.includes("salesflow status"), true);
  });
});

describe("rawDataRemedy()", () => {
  const cases: [what: string, run: Partial<RunRecord>, remedy: string][] = [
    ["generated", {}, "Run: salesflow generate --run-id r-1 --as-of 2026-11-24 --seed 1 --rows 2"],
    [
      "ingested",
      { source: "ingested", parameters: { files: ["a.csv"] } },
      "Run: salesflow ingest FILE… --run-id r-1 --as-of 2026-11-24",
    ],
  ];
  for (const [what, run, remedy] of cases) {
    it(`names the parameters of a run that was ${what}`, async () => {
      await writeRun(store, { ...RUN, ...run });
      assertEquals(await rawDataRemedy(store, "r-1"), remedy);
    });
  }
});

describe("listRuns()", () => {
  it("lists folders that can be runs, sorted", async () => {
    assertEquals(await listRuns(store), []);
    for (const id of ["b", "2026-11-24", "a"]) await writeRun(store, { ...RUN, run_id: id });
    await store.writeText("runs/.hidden/run.json", "x");
    await store.writeText("runs/Not A Run/run.json", "x");
    assertEquals(await listRuns(store), ["2026-11-24", "a", "b"]);
  });
});
