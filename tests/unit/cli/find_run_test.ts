import { assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { findRun } from "../../../cli/find_run.ts";
import { SalesflowError } from "../../../lib/console/errors.ts";
import { writeRun } from "../../../lib/pipeline/records.ts";
import { FileStore } from "../../../lib/store/file_store.ts";

describe("findRun()", () => {
  let folder: string;
  let store: FileStore;
  beforeAll(async () => {
    folder = await Deno.makeTempDir();
    store = new FileStore(folder);
    await writeRun(store, { run_id: "old", as_of: "2026-11-17", source: "ingested", parameters: {} });
  });
  afterAll(() => Deno.remove(folder, { recursive: true }));

  const found: [
    when: string,
    values: { runId?: string; asOf?: string },
    newRun: boolean | "ingested",
    run: { runId: string; asOf: string },
  ][] = [
    ["a run is named", { runId: "old" }, false, { runId: "old", asOf: "2026-11-17" }],
    ["a new run has a name and a date", { runId: "new", asOf: "2026-11-24" }, true, {
      runId: "new",
      asOf: "2026-11-24",
    }],
    ["a new run has only a date", { asOf: "2026-11-24" }, true, { runId: "2026-11-24", asOf: "2026-11-24" }],
    ["the name of a new run is a date", { runId: "2026-11-24" }, true, {
      runId: "2026-11-24",
      asOf: "2026-11-24",
    }],
    ["an existing run may be replaced as of another date", { runId: "old", asOf: "2026-11-24" }, "ingested", {
      runId: "old",
      asOf: "2026-11-24",
    }],
  ];
  for (const [when, values, newRun, run] of found) {
    it(`returns name and date when ${when}`, async () => {
      assertEquals(await findRun(store, values, newRun), run);
    });
  }

  it("names a run after its date when nothing is given", async () => {
    const { runId, asOf } = await findRun(store, {}, true);
    assertEquals([runId, /^\d{4}-\d{2}-\d{2}$/.test(asOf)], [asOf, true]);
  });

  const refused: [
    when: string,
    values: { runId?: string; asOf?: string },
    newRun: boolean | "generated",
    message: string,
  ][] = [
    ["there is no such run", { runId: "none" }, false, "There is no run none"],
    ["its date differs", { runId: "old", asOf: "2026-11-24" }, false, "is as of 2026-11-17, not 2026-11-24"],
    ["its sales have another source", { runId: "old" }, "generated", "cannot be replaced by generated sales"],
  ];
  for (const [when, values, newRun, message] of refused) {
    it(`throws SalesflowError with exit code 2 when ${when}`, async () => {
      const error = await assertRejects(() => findRun(store, values, newRun), SalesflowError, message);
      assertEquals(error.exitCode, 2);
    });
  }
});
