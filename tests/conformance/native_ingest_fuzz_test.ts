import { assert, assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { clean } from "../../lib/clean/clean.ts";
import { SalesflowError } from "../../lib/console/errors.ts";
import { findInputs } from "../../lib/ingest/inputs.ts";
import { sourceOfMap } from "../../lib/ingest/source/column_copier.ts";
import { ingest } from "../../lib/ingest/ingest.ts";
import type { StageContext } from "../../lib/pipeline/stage.ts";
import { SALE_HEADER } from "../../lib/domain/sale.ts";
import { datasetFolder, readManifest } from "../../lib/dataset/dataset.ts";
import { openStore } from "../../lib/store/open_store.ts";
import type { Store } from "../../lib/store/store.ts";
import { fuzzSettings } from "./fuzz/prng.ts";
import { type FuzzedExport, fuzzedExport } from "./fuzz/exports.ts";

const { seed, rounds } = fuzzSettings(120);

/** Result of ingest: the number of rows, or the error message. */
type Outcome = { rows: number } | { failure: string };

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

  async function ingestExport(runId: string, { bytes, encoding }: FuzzedExport): Promise<Outcome> {
    const path = `${home}/${runId}.csv`;
    await Deno.writeFile(path, bytes);
    const context = contextOf(runId);
    try {
      const options = {
        inputs: await findInputs([path], home, "given"),
        rules: { source: sourceOfMap({}, encoding), lookups: [], copies: true },
        workers: 1,
      };
      const { rowsIn, rowsOut, facts } = await ingest(context, options);
      const { header = 0 } = facts.excluded as Record<string, number>;
      assertEquals(rowsIn, rowsOut + header);
      return { rows: rowsOut };
    } catch (error) {
      assert(error instanceof SalesflowError, `${error}`);
      assertEquals([error.stage, [1, 2].includes(error.exitCode)], ["ingest", true]);
      assert(error.message.includes(path) && error.message.length < 5_000, error.message);
      // A partly written dataset has no manifest, and an earlier one is gone.
      assertEquals(await readManifest(store, runId, "raw"), undefined);
      return { failure: error.message };
    }
  }

  /** Counts the rows of the raw part by its line ends. */
  async function countWrittenRows(runId: string): Promise<number> {
    const text = await store.readText(`${datasetFolder(runId, "raw")}/part-00000.csv`);
    const [header, ...lines] = text!.split("\n");
    assertEquals([header, lines.pop()], [SALE_HEADER, ""]);
    return lines.filter((line) => line !== "").length;
  }

  it(`writes rows that clean() counts the same, or fails with a clear error, in ${rounds} rounds`, async () => {
    const outcomes: Outcome[] = [];
    for (let round = 0; round < rounds; round++) {
      const runId = `export-${seed}-${round}`;
      const fuzzed = fuzzedExport(seed, round);
      const outcome = await ingestExport(runId, fuzzed).catch((error) => {
        throw new Error(`round ${round}: ${fuzzed.kind} as ${fuzzed.encoding}`, { cause: error });
      });
      outcomes.push(outcome);
      if (!("rows" in outcome)) continue;
      assertEquals(
        await countWrittenRows(runId),
        outcome.rows,
        `round ${round}: ${fuzzed.kind} as ${fuzzed.encoding}`,
      );
      const options = { maxRejected: 1, checkDateRange: true, workers: 1 };
      const { facts } = await clean(contextOf(runId), options);
      assertEquals(facts.rows_in, outcome.rows, `round ${round}: ${fuzzed.kind} as ${fuzzed.encoding}`);
      assertEquals(
        outcome.rows,
        Number(facts.rows_out) + Number(facts.duplicates) + Number(facts.rejected),
      );
    }
    // Guards against exports that are too clean or too broken to test anything.
    const failures = outcomes.flatMap((outcome) => "failure" in outcome ? [outcome.failure] : []);
    const rows = outcomes.reduce((sum, outcome) => sum + ("rows" in outcome ? outcome.rows : 0), 0);
    if (rounds < 100) return;
    assert(failures.length > rounds / 10 && failures.length < rounds * 0.9, `${failures.length} failures`);
    assert(rows > 20 * rounds, `${rows} rows`);
    for (const words of ["is damaged", "there is no column"]) {
      assert(failures.some((message) => message.includes(words)), `no error with "${words}"`);
    }
  });
});
