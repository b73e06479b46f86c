import { assert, assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { readLoadedRuns, removeLoadedRun } from "../../../lib/prune/loaded_runs.ts";
import { Testbed } from "../tables/harness.ts";

describe("lib/prune/loaded_runs.ts", () => {
  let testbed: Testbed;
  beforeAll(async () => {
    testbed = await Testbed.open(["postgres"]);
  });
  afterAll(() => testbed.close());

  it("readLoadedRuns() returns nothing before the first migrate", async () => {
    assertEquals(await testbed.postgres(readLoadedRuns), []);
  });

  it("readLoadedRuns() finds records and rejected rows, and removeLoadedRun() removes those of one run", async () => {
    await testbed.createPostgresTables();
    await testbed.sql(
      "INSERT INTO shop.pipeline_runs SELECT name, '2026-11-24', 'generated', 'native', 0, 0, 0, 0, '{}', '2026-11-24 09:00:00.1234 UTC' FROM unnest(ARRAY['a', 'b']) AS name",
    );
    await testbed.sql(
      "INSERT INTO shop.rejected_sales SELECT name, 'f', line, 'r', 'text' FROM unnest(ARRAY['b', 'c']) AS name, generate_series(1, 2) AS line",
    );
    const loadedMs = Date.parse("2026-11-24T09:00:00.123Z");
    const found = await testbed.postgres(readLoadedRuns);
    assertEquals(found.map(({ runId, loadedMs, rejectedRows }) => [runId, loadedMs, rejectedRows]), [
      ["a", loadedMs, 0],
      ["b", loadedMs, 2],
      ["c", undefined, 2],
    ]);
    assertEquals(found[0]!.rejectedBytes, 0);
    assert(found[1]!.rejectedBytes > 0);
    await testbed.postgres((db) => removeLoadedRun(db, "b"));
    assertEquals((await testbed.postgres(readLoadedRuns)).map(({ runId }) => runId), ["a", "c"]);
  });
});
