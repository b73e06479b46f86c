import { assert, assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { clean } from "../../lib/clean/clean.ts";
import { SalesflowError } from "../../lib/console/errors.ts";
import type { StageContext } from "../../lib/pipeline/stage.ts";
import { SALE_HEADER } from "../../lib/domain/sale.ts";
import { type DatasetName, openDataset } from "../../lib/dataset/dataset.ts";
import { openStore } from "../../lib/store/open_store.ts";
import type { Store } from "../../lib/store/store.ts";
import { cleanCases, putRaw } from "./cases.ts";

async function readLines(
  store: Store,
  runId: string,
  dataset: DatasetName,
  header: string,
): Promise<string[]> {
  const lines: string[] = [];
  for (const { name } of (await openDataset(store, runId, dataset)).parts) {
    // Not a TextDecoder's default: it would drop a byte order mark.
    const bytes = await store.read(`runs/${runId}/${dataset}/${name}`, 0, 1 << 30);
    const text = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true }).decode(bytes);
    const [first, ...rows] = text.split("\n");
    assertEquals(first, header);
    assertEquals(rows.pop(), "");
    lines.push(...rows);
  }
  return lines;
}

const cases = await cleanCases();

describe("clean()", () => {
  let home: string;
  let store: Store;
  beforeAll(async () => {
    home = await Deno.makeTempDir();
    store = openStore(home);
  });
  afterAll(() => Deno.remove(home, { recursive: true }));

  cases.forEach((wanted, index) => {
    it(`meets the case: ${wanted.name}`, async () => {
      const runId = `case-${index}`;
      await putRaw(store, runId, wanted);
      const context: StageContext = {
        runId,
        asOf: wanted.asOf,
        store,
        postgresUrl: "",
        clickhouseUrl: "",
        signal: new AbortController().signal,
        progress() {},
      };
      const options = { maxRejected: wanted.maxRejected, checkDateRange: wanted.dateRange, workers: 1 };
      if (wanted.fails !== undefined) {
        const earlier = ["clean", "rejected"].flatMap((dataset) =>
          ["part-00000.csv", "manifest.json"].map((name) => `runs/${runId}/${dataset}/${name}`)
        );
        for (const path of earlier) await store.writeText(path, "earlier");
        const error = await assertRejects(() => clean(context, options), SalesflowError);
        assertEquals(error.exitCode, wanted.fails);
        // Nothing is published, and nothing taken away.
        for (const path of earlier) assertEquals(await store.readText(path), "earlier");
        return;
      }
      const { facts } = await clean(context, options);
      assertEquals(await readLines(store, runId, "rejected", "file,line,reason,raw"), wanted.rejected);
      assertEquals((await readLines(store, runId, "clean", SALE_HEADER)).sort(), wanted.clean.toSorted());
      const { rows_in, rows_out, duplicates, rejected, rejected_by_reason } = facts;
      assertEquals({ rows_in, rows_out, duplicates, rejected, rejected_by_reason }, {
        rows_in: wanted.rowsIn,
        rows_out: wanted.clean.length,
        duplicates: wanted.duplicates,
        rejected: wanted.rejected.length,
        rejected_by_reason: wanted.rejectedByReason,
      });
      assert(wanted.rowsIn === wanted.clean.length + wanted.duplicates + wanted.rejected.length);
    });
  });
});
