import { assert, assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { clean } from "../../lib/clean/clean.ts";
import { SalesflowError } from "../../lib/console/errors.ts";
import type { StageContext } from "../../lib/pipeline/stage.ts";
import { SALE_HEADER } from "../../lib/domain/sale.ts";
import { type DatasetName, openDataset } from "../../lib/dataset/dataset.ts";
import { openStore } from "../../lib/store/open_store.ts";
import type { Store } from "../../lib/store/store.ts";
import { putRaw, readCleanCases } from "./cases.ts";

async function readRows(
  store: Store,
  runId: string,
  dataset: DatasetName,
  header: string,
): Promise<string[]> {
  const lines: string[] = [];
  for (const { name } of (await openDataset(store, runId, dataset)).parts) {
    // The default of TextDecoder would drop a byte order mark.
    const bytes = await store.read(`runs/${runId}/${dataset}/${name}`, 0, 1 << 30);
    const text = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true }).decode(bytes);
    const [first, ...rows] = text.split("\n");
    assertEquals(first, header);
    assertEquals(rows.pop(), "");
    lines.push(...rows);
  }
  return lines;
}

const cases = await readCleanCases();

describe("clean()", () => {
  let home: string;
  let store: Store;
  beforeAll(async () => {
    home = await Deno.makeTempDir();
    store = openStore(home);
  });
  afterAll(() => Deno.remove(home, { recursive: true }));

  cases.forEach((expected, index) => {
    it(`passes case: ${expected.name}`, async () => {
      const runId = `case-${index}`;
      await putRaw(store, runId, expected);
      const context: StageContext = {
        runId,
        asOf: expected.asOf,
        store,
        postgresUrl: "",
        clickhouseUrl: "",
        signal: new AbortController().signal,
        progress() {},
      };
      const options = { maxRejected: expected.maxRejected, checkDateRange: expected.dateRange, workers: 1 };
      if (expected.fails !== undefined) {
        const earlier = ["clean", "rejected"].flatMap((dataset) =>
          ["part-00000.csv", "manifest.json"].map((name) => `runs/${runId}/${dataset}/${name}`)
        );
        for (const path of earlier) await store.writeText(path, "earlier");
        const error = await assertRejects(() => clean(context, options), SalesflowError);
        assertEquals(error.exitCode, expected.fails);
        // Nothing is published or removed.
        for (const path of earlier) assertEquals(await store.readText(path), "earlier");
        return;
      }
      const { facts } = await clean(context, options);
      assertEquals(await readRows(store, runId, "rejected", "file,line,reason,raw"), expected.rejected);
      assertEquals((await readRows(store, runId, "clean", SALE_HEADER)).sort(), expected.clean.toSorted());
      const { rows_in, rows_out, duplicates, rejected, rejected_by_reason, on_conflict } = facts;
      const amounts = facts.rejected_amounts as typeof expected.amounts;
      assertEquals(Object.keys(amounts), Object.keys(expected.rejectedByReason));
      for (const [reason, { rows }] of Object.entries(amounts)) {
        assert(rows <= expected.rejectedByReason[reason]!);
        if (expected.amounts[reason]) assertEquals(amounts[reason], expected.amounts[reason]);
      }
      assertEquals(on_conflict, expected.onConflict === "last" ? "last" : undefined);
      assertEquals({ rows_in, rows_out, duplicates, rejected, rejected_by_reason }, {
        rows_in: expected.rowsIn,
        rows_out: expected.clean.length,
        duplicates: expected.duplicates,
        rejected: expected.rejected.length,
        rejected_by_reason: expected.rejectedByReason,
      });
      assert(expected.rowsIn === expected.clean.length + expected.duplicates + expected.rejected.length);
    });
  });
});
