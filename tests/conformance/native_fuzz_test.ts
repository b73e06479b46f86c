import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { Buffer } from "node:buffer";
import { SalesflowError } from "../../lib/console/errors.ts";
import { REASONS, REJECTED_HEADER, SALE_HEADER } from "../../lib/domain/sale.ts";
import { type DatasetName, openDataset, partName } from "../../lib/dataset/dataset.ts";
import { openStore } from "../../lib/store/open_store.ts";
import type { Store } from "../../lib/store/store.ts";
import { fuzzSettings } from "./fuzz/dice.ts";
import { cleanRound, type FuzzRun, fuzzRuns, putRound, wrongHeaderRuns } from "./fuzz/native.ts";

const { seed, rounds } = fuzzSettings(4);
const CANONICAL =
  /^[1-9]\d{0,18},[1-9]\d{0,18},[1-9]\d{0,9},[1-9]\d{0,9},\d{4}-\d{2}-\d{2},(0|[1-9]\d{0,11})\.\d{2},(North|South|East|West)$/;
const KEPT_BYTES = 65_536;
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Lines of a dataset without headers; bytes that are not UTF-8 are a failure. */
async function rowsOf(store: Store, runId: string, dataset: DatasetName, header: string): Promise<string[]> {
  const rows: string[] = [];
  for (const { name } of (await openDataset(store, runId, dataset)).parts) {
    const bytes = await store.read(`runs/${runId}/${dataset}/${name}`, 0, 1 << 30);
    const lines = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true }).decode(bytes).split("\n");
    assertEquals([lines.shift(), lines.pop()], [header, ""]);
    for (const line of lines) rows.push(line);
  }
  return rows;
}

/** Rows of the raw parts by `file,line`, as rejected/ would show them: by the contract's words, without code of the project. */
function rawRows(parts: readonly Uint8Array[]): Map<string, string> {
  const rows = new Map<string, string>();
  parts.forEach((part, index) => {
    // Latin-1 has a character for each byte.
    Buffer.from(part).toString("latin1").split("\n").forEach((text, line) => {
      const bytes = text.replace(/\r$/, "");
      if (line === 0 || bytes.replace(/[ \t]|\xc2\xa0|\xe2\x80\xaf/g, "") === "") return;
      const kept = decoder.decode(Buffer.from(bytes.slice(0, KEPT_BYTES), "latin1"));
      rows.set(`${partName(index)},${line + 1}`, kept.replaceAll("\0", "\ufffd"));
    });
  });
  return rows;
}

/** Checks all that must hold for whatever comes in. */
async function checkOutcome(store: Store, run: FuzzRun, facts: Record<string, unknown>): Promise<void> {
  const { runId, round } = run;
  const raw = rawRows(round.parts);
  const clean = await rowsOf(store, runId, "clean", SALE_HEADER);
  const rejected = await rowsOf(store, runId, "rejected", REJECTED_HEADER);
  for (const row of clean) assertMatch(row, CANONICAL);
  assertEquals(new Set(clean.map((row) => row.slice(0, row.indexOf(",")))).size, clean.length);
  const counts = Object.fromEntries(REASONS.map((reason) => [reason as string, 0]));
  const places: string[] = [];
  for (const line of rejected) {
    const [, place, reason, text] = /^([^,]+,\d+),([a-z_]+),"((?:[^"]|"")*)"$/.exec(line) ?? [];
    assert(place !== undefined && reason !== undefined && text !== undefined, line.slice(0, 200));
    assertEquals(text.replaceAll('""', '"'), raw.get(place), place);
    counts[reason]!++;
    places.push(place);
  }
  assertEquals(facts.rejected_by_reason, counts);
  const refused = new Set(places);
  assertEquals(places, [...raw.keys()].filter((place) => refused.has(place)));
  const { rows_in, rows_out, duplicates } = facts;
  assertEquals([rows_in, rows_out], [raw.size, clean.length]);
  assertEquals(raw.size, clean.length + Number(duplicates) + rejected.length);
  // Otherwise the data is too good or too bad to test anything.
  assert(clean.length > 300 && Number(duplicates) > 50, JSON.stringify(facts));
  for (const reason of REASONS) {
    assert(counts[reason]! > 5 || reason === "date_out_of_range", `${reason} ${counts[reason]}`);
  }
}

describe("clean() on fuzzed raw parts", () => {
  let home: string;
  let store: Store;
  beforeAll(async () => {
    home = await Deno.makeTempDir();
    store = openStore(home);
  });
  afterAll(() => Deno.remove(home, { recursive: true }));

  for (const run of fuzzRuns(seed, rounds)) {
    it(`ends every row as clean, duplicate or rejected with its reason: ${run.runId}`, async () => {
      await putRound(store, run);
      const { facts } = await cleanRound(store, run);
      await checkOutcome(store, run, facts);
      const clean = await rowsOf(store, run.runId, "clean", SALE_HEADER);
      const rejected = await rowsOf(store, run.runId, "rejected", REJECTED_HEADER);
      await cleanRound(store, run, 300_000);
      assertEquals(await rowsOf(store, run.runId, "clean", SALE_HEADER), clean);
      assertEquals(await rowsOf(store, run.runId, "rejected", REJECTED_HEADER), rejected);

      const again: FuzzRun = {
        runId: `${run.runId}-again`,
        round: { ...run.round, parts: [Buffer.from([SALE_HEADER, ...clean, ""].join("\n"))] },
      };
      await putRound(store, again);
      assertEquals((await cleanRound(store, again)).rowsOut, clean.length);
      assertEquals(await rowsOf(store, again.runId, "clean", SALE_HEADER), clean);
    });
  }

  for (const { what, ...run } of wrongHeaderRuns()) {
    it(`names the file and its first line when a part begins with ${what}`, async () => {
      await putRound(store, run);
      const error = await assertRejects(() => cleanRound(store, run), SalesflowError);
      assertEquals([error.exitCode, error.stage], [1, "clean"]);
      assertStringIncludes(error.message, "part-00001.csv line 1");
      assert(error.message.length < 2_000);
      assertStringIncludes(error.remedy!, SALE_HEADER);
      assertEquals(await store.list(`runs/${run.runId}`), ["raw", "run.json"]);
    });
  }
});
