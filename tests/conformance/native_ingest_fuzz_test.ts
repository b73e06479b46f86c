import { assert, assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { clean } from "../../lib/clean/clean.ts";
import { SalesflowError } from "../../lib/console/errors.ts";
import { ingest } from "../../lib/ingest/ingest.ts";
import type { StageContext } from "../../lib/pipeline/stage.ts";
import { SALE_HEADER } from "../../lib/domain/sale.ts";
import { datasetFolder, findDataset } from "../../lib/dataset/dataset.ts";
import { openStore } from "../../lib/store/open_store.ts";
import type { Store } from "../../lib/store/store.ts";
import { fuzzSettings } from "./fuzz/dice.ts";
import { type FuzzedExport, fuzzedExport } from "./fuzz/exports.ts";

const { seed, rounds } = fuzzSettings(120);

/** How ingest ended. */
type Outcome = { rows: number } | { refused: string };

describe("ingest() on fuzzed exports", () => {
  let home: string;
  let store: Store;
  beforeAll(async () => {
    home = await Deno.makeTempDir({ prefix: "salesflow-ingest-fuzz-" });
    store = openStore(home);
  });
  afterAll(() => Deno.remove(home, { recursive: true }));

  const contextOf = (runId: string): StageContext => ({
    runId,
    asOf: "2026-11-24",
    store,
    postgresUrl: "",
    clickhouseUrl: "",
    signal: new AbortController().signal,
    progress() {},
  });

  async function ingested(runId: string, { bytes, encoding }: FuzzedExport): Promise<Outcome> {
    const path = `${home}/${runId}.csv`;
    await Deno.writeFile(path, bytes);
    const context = contextOf(runId);
    try {
      const { rowsIn, rowsOut } = await ingest(context, { files: [path], map: {}, encoding });
      assertEquals(rowsIn, rowsOut);
      return { rows: rowsIn };
    } catch (error) {
      assert(error instanceof SalesflowError, `${error}`);
      assertEquals([error.stage, [1, 2].includes(error.exitCode)], ["ingest", true]);
      assert(error.message.includes(path) && error.message.length < 5_000, error.message);
      // Whatever was there under a name is gone, and nothing half written counts as a dataset.
      assertEquals(await findDataset(store, runId, "raw"), undefined);
      return { refused: error.message };
    }
  }

  /** Rows that were written, counted by nothing but line ends. */
  async function writtenRows(runId: string): Promise<number> {
    const text = await store.readText(`${datasetFolder(runId, "raw")}/part-00000.csv`);
    const [header, ...lines] = text!.split("\n");
    assertEquals([header, lines.pop()], [SALE_HEADER, ""]);
    return lines.filter((line) => line !== "").length;
  }

  it(`ends every one of ${rounds} in counted rows, which clean takes one by one, or a clear error`, async () => {
    const outcomes: Outcome[] = [];
    for (let round = 0; round < rounds; round++) {
      const runId = `export-${seed}-${round}`;
      const made = fuzzedExport(seed, round);
      const outcome = await ingested(runId, made).catch((error) => {
        throw new Error(`round ${round}: ${made.kind} as ${made.encoding}`, { cause: error });
      });
      outcomes.push(outcome);
      if (!("rows" in outcome)) continue;
      assertEquals(
        await writtenRows(runId),
        outcome.rows,
        `round ${round}: ${made.kind} as ${made.encoding}`,
      );
      const options = { maxRejected: 1, checkDateRange: true, workers: 1 };
      const { facts } = await clean(contextOf(runId), options);
      assertEquals(facts.rows_in, outcome.rows, `round ${round}: ${made.kind} as ${made.encoding}`);
      assertEquals(
        outcome.rows,
        Number(facts.rows_out) + Number(facts.duplicates) + Number(facts.rejected),
      );
    }
    // Otherwise the exports are too good or too bad to test anything.
    const refused = outcomes.flatMap((outcome) => "refused" in outcome ? [outcome.refused] : []);
    const rows = outcomes.reduce((sum, outcome) => sum + ("rows" in outcome ? outcome.rows : 0), 0);
    if (rounds < 100) return;
    assert(refused.length > rounds / 10 && refused.length < rounds * 0.9, `${refused.length} refused`);
    assert(rows > 20 * rounds, `${rows} rows`);
    for (const words of ["is damaged", "quote never closes", "there is no column"]) {
      assert(refused.some((message) => message.includes(words)), `nothing ${words}`);
    }
  });
});
