import { assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeEach, describe, it } from "@std/testing/bdd";
import { SalesflowError } from "../../../lib/console/errors.ts";
import {
  listRuns,
  rawDataRemedy,
  readRun,
  readStage,
  readStages,
  RUN_ID,
  runNotFound,
  type RunRecord,
  type StageRecord,
  writeRun,
  writeStage,
} from "../../../lib/pipeline/records.ts";
import { makeTestStore } from "../store/harness.ts";

const testStore = await makeTestStore();
const { store } = testStore;
afterAll(() => testStore.remove());
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
  const valid = ["2026-11-24", "a", "0", "orders_2026.11", "a".repeat(63), "a-._b", "a."];
  for (const id of valid) it(`accepts ${id}`, () => assertEquals(RUN_ID.test(id), true));
  const invalid = [
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
  invalid.push("a".repeat(64), "a;b", "a'b", "~");
  for (const id of invalid) {
    it(`rejects ${JSON.stringify(id)}`, () => assertEquals(RUN_ID.test(id), false));
  }
});

describe("records", () => {
  it("readRun() and readStage() return what was written, and undefined before", async () => {
    assertEquals([await readRun(store, "r-1"), await readStage(store, "r-1", "clean")], [
      undefined,
      undefined,
    ]);
    await writeRun(store, RUN);
    await writeStage(store, "r-1", STAGE);
    assertEquals([await readRun(store, "r-1"), await readStage(store, "r-1", "clean")], [RUN, STAGE]);
    assertEquals(await readStage(store, "r-1", "load"), undefined);
  });

  it("readStages() returns the records that there are, in the order of the stages", async () => {
    for (const stage of ["load", "ingest", "clean", "migrate"]) {
      await writeStage(store, "r-1", { ...STAGE, stage });
    }
    const records = await readStages(store, "r-1");
    assertEquals([...records.keys()], ["migrate", "ingest", "clean", "load"]);
    assertEquals(records.get("clean"), STAGE);
    assertEquals((await readStages(store, "r-2")).size, 0);
  });

  it("writeStage() writes stages/<stage>.json with keys in the given order", async () => {
    await writeStage(store, "r-1", STAGE);
    const text = await store.readText("runs/r-1/stages/clean.json");
    assertEquals(text, JSON.stringify(STAGE, null, 2) + "\n");
  });

  const broken = ["", "{", "null", "[]", '{"run_id":"r-1"}', JSON.stringify({ ...RUN, source: "bought" })];
  for (const text of broken) {
    it(`readRun() names the file when it cannot parse ${text || "an empty file"}`, async () => {
      await store.writeText("runs/r-1/run.json", text);
      const error = await assertRejects(() => readRun(store, "r-1"), SalesflowError, "runs/r-1/run.json");
      assertEquals(error.exitCode, 1);
    });
  }
});

describe("runNotFound()", () => {
  it("names the run and the store, and suggests how to list runs", () => {
    const error = runNotFound(store, "r-2");
    assertEquals([error.message, error.exitCode], [`There is no run r-2 in ${store.url}`, 2]);
    assertEquals(error.remedy?.endsWith("salesflow status"), true);
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
    it(`returns the command of a run that was ${what}`, async () => {
      await writeRun(store, { ...RUN, ...run });
      assertEquals(await rawDataRemedy(store, "r-1"), remedy);
    });
  }
});

describe("listRuns()", () => {
  it("returns the folders whose names are run ids, sorted", async () => {
    assertEquals(await listRuns(store), []);
    for (const id of ["b", "2026-11-24", "a"]) await writeRun(store, { ...RUN, run_id: id });
    await store.writeText("runs/.hidden/run.json", "x");
    await store.writeText("runs/Not A Run/run.json", "x");
    assertEquals(await listRuns(store), ["2026-11-24", "a", "b"]);
  });
});
