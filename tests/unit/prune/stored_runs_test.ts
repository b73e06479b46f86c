import { assert, assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { writeRun, writeStage } from "../../../lib/pipeline/records.ts";
import { readStoredRun, readStoredRuns, removeStoredRun } from "../../../lib/prune/stored_runs.ts";
import { FileStore } from "../../../lib/store/file_store.ts";
import { lockRun } from "../../../lib/store/run_lock.ts";
import type { Store } from "../../../lib/store/store.ts";
import { stageRecord } from "../pipeline/stage_record.ts";

const AS_OF = "2026-11-24";
const DATASETS = ["raw", "clean", "rejected"];

/** A store whose process is killed before it removes anything for the `kills`-th time. */
class KilledStore extends FileStore {
  #left: number;
  constructor(folder: string, kills: number) {
    super(folder);
    this.#left = kills;
  }
  override remove(path: string): Promise<void> {
    if (this.#left-- === 0) return Promise.reject(new Error("killed"));
    return super.remove(path);
  }
}

async function writeStages(store: Store, runId: string, stages: readonly string[]): Promise<void> {
  for (const [index, stage] of stages.entries()) {
    const changes = {
      started_at: `2026-11-24T09:0${index}:00.000Z`,
      finished_at: `2026-11-24T09:0${index}:30.000Z`,
    };
    await writeStage(store, runId, stageRecord(stage, changes));
  }
}

async function writeWholeRun(store: Store, runId: string): Promise<void> {
  await writeRun(store, { run_id: runId, as_of: AS_OF, source: "generated", parameters: {} });
  for (const dataset of DATASETS) {
    for (const name of ["part-00000.csv", "part-00001.csv", "manifest.json"]) {
      await store.writeText(`runs/${runId}/${dataset}/${name}`, dataset);
    }
  }
  await writeStages(store, runId, ["generate", "clean", "load", "aggregate", "transfer", "verify", "report"]);
}

describe("lib/prune/stored_runs.ts", () => {
  let folder: string;
  let store: FileStore;
  beforeAll(async () => {
    folder = await Deno.makeTempDir({ prefix: "salesflow-prune-" });
    store = new FileStore(folder);
  });
  afterAll(() => Deno.remove(folder, { recursive: true }));

  it("readStoredRun() returns when a run was last used and verified", async () => {
    await writeWholeRun(store, "whole");
    assertEquals(await readStoredRun(store, "whole"), {
      runId: "whole",
      lastUsedMs: Date.parse("2026-11-24T09:06:30Z"),
      verifiedMs: Date.parse("2026-11-24T09:05:30Z"),
    });
    await writeStages(store, "half", ["generate", "clean", "load"]);
    const half = await readStoredRun(store, "half");
    assertEquals([half.lastUsedMs, half.verifiedMs], [Date.parse("2026-11-24T09:02:30Z"), undefined]);
  });

  it("readStoredRuns() lists all runs, and knows no age of those without readable records", async () => {
    await store.writeText("runs/torn/run.json", "{");
    await store.writeText("runs/empty/raw/part-00000.csv", "1");
    const runs = await readStoredRuns(store);
    assertEquals(runs.map(({ runId }) => runId), ["empty", "half", "torn", "whole"]);
    assertEquals(runs.filter(({ lastUsedMs }) => lastUsedMs === undefined).map(({ runId }) => runId), [
      "empty",
      "torn",
    ]);
  });

  it("removeStoredRun() removes the whole folder with its lock", async () => {
    await removeStoredRun(store, "half", await lockRun(store, "half"));
    assertEquals(await store.list("runs"), ["empty", "torn", "whole"]);
  });

  it("removeStoredRun() can be killed before each step: no torn dataset, and the next attempt finds the run", async () => {
    let kills = 0;
    for (;; kills++) {
      await writeWholeRun(store, "killed");
      const killed = new KilledStore(folder, kills);
      const lock = await lockRun(killed, "killed");
      const attempt = removeStoredRun(killed, "killed", lock);
      const isDone = await attempt.then(() => true, () => false);
      await lock.release();
      if (isDone) break;
      for (const dataset of DATASETS) {
        const names = await store.list(`runs/killed/${dataset}`);
        assert(!names.includes("manifest.json") || names.length === 3, `${dataset}: ${names}`);
      }
      // Its records are there until nothing else is.
      const { lastUsedMs } = await readStoredRun(store, "killed");
      const names = (await store.list("runs/killed")).filter((name) => !name.startsWith(".lock-"));
      assertEquals(lastUsedMs !== undefined, names.length > 0, `${kills}: ${names}`);
      await removeStoredRun(store, "killed", await lockRun(store, "killed"));
      assertEquals((await store.list("runs")).includes("killed"), false);
    }
    assert(kills > 8, `${kills} steps`);
  });

  it("removeStoredRun() stops when the lock is lost", async () => {
    const lost = AbortSignal.abort(new Error("lost"));
    await assertRejects(
      () => removeStoredRun(store, "whole", { lost, release: () => Promise.resolve() }),
      Error,
      "lost",
    );
    assertEquals((await store.list("runs/whole/raw")).length, 3);
  });
});
