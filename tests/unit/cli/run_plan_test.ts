import { assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { planStages } from "../../../cli/run_plan.ts";
import type { TableRuns } from "../../../lib/pipeline/plan.ts";
import { writeRun, writeStage } from "../../../lib/pipeline/records.ts";
import { FileStore } from "../../../lib/store/file_store.ts";
import { stageRecord } from "../pipeline/stage_record.ts";

const PARAMETERS = { seed: 1, rows: 10, defect_rate: 0, products: 2, customers: 3 };

describe("planStages()", () => {
  let folder: string;
  let store: FileStore;

  beforeAll(async () => {
    folder = await Deno.makeTempDir();
    store = new FileStore(folder);
    await writeRun(store, { run_id: "r", as_of: "2026-11-24", source: "generated", parameters: PARAMETERS });
    for (const [index, stage] of ["generate", "clean", "load"].entries()) {
      const changes = {
        started_at: `2026-11-24T09:0${index}:00.000Z`,
        finished_at: `2026-11-24T09:0${index}:30.000Z`,
        rows_in: 10,
        rows_out: 10,
        facts: { rejected: 0, rows_in: 10, date_from: "2025-11-25" },
      };
      await writeStage(store, "r", stageRecord(stage, changes));
    }
  });
  afterAll(() => Deno.remove(folder, { recursive: true }));

  async function plan(tables: TableRuns | undefined, rows = 10) {
    const reads: string[] = [];
    const result = await planStages({
      store,
      runId: "r",
      asOf: "2026-11-24",
      existing: { run_id: "r", as_of: "2026-11-24", source: "generated", parameters: PARAMETERS },
      generating: { rows, seed: 1, defectRate: 0, products: 2, customers: 3, partitions: 1, workers: 1 },
      cleaning: { checkDateRange: true, maxRejected: 0.1 },
      from: undefined,
      to: undefined,
    }, () => {
      reads.push("tables");
      return Promise.resolve(tables);
    });
    return { at: result.plan.resumed?.at, dependsOnTables: result.dependsOnTables, reads: reads.length };
  }

  it("resumes where the records end when the tables hold the run", async () => {
    const found = await plan({ loaded: "r", aggregated: null });
    assertEquals(found, { at: "aggregate", dependsOnTables: false, reads: 1 });
  });

  it("goes back to load when they hold another run", async () => {
    const found = await plan({ loaded: "other", aggregated: null });
    assertEquals(found, { at: "load", dependsOnTables: false, reads: 1 });
  });

  it("keeps the plan, and says so, when they cannot be read", async () => {
    assertEquals(await plan(undefined), { at: "aggregate", dependsOnTables: true, reads: 1 });
  });

  it("does not read them when the run starts over", async () => {
    assertEquals(await plan(undefined, 20), { at: undefined, dependsOnTables: false, reads: 0 });
  });
});
