import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { Buffer } from "node:buffer";
import { SalesflowError } from "../../lib/console/errors.ts";
import { REASONS, REJECTED_HEADER, SALE_HEADER } from "../../lib/domain/sale.ts";
import { type DatasetName, openDataset, partName } from "../../lib/dataset/dataset.ts";
import { openStore } from "../../lib/store/open_store.ts";
import type { Store } from "../../lib/store/store.ts";
import { fuzzSettings } from "./fuzz/prng.ts";
import { cleanRound, type FuzzRun, fuzzRuns, putRound, wrongHeaderRuns } from "./fuzz/native.ts";

const { seed, rounds } = fuzzSettings(4);
const CANONICAL =
  /^(?:[1-9]\d{0,18},){3}[1-9]\d{0,9},\d{4}-\d{2}-\d{2},(0|[1-9]\d{0,11})\.\d{2},(North|South|East|West)$/;
const MAX_KEPT_BYTES = 65_536;
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Reads the lines of a dataset without headers; fails on invalid UTF-8. */
async function readRows(
  store: Store,
  runId: string,
  dataset: DatasetName,
  header: string,
): Promise<string[]> {
  const rows: string[] = [];
  for (const { name } of (await openDataset(store, runId, dataset)).parts) {
    const bytes = await store.read(`runs/${runId}/${dataset}/${name}`, 0, 1 << 30);
    const lines = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true }).decode(bytes).split("\n");
    assertEquals([lines.shift(), lines.pop()], [header, ""]);
    for (const line of lines) rows.push(line);
  }
  return rows;
}

/** Returns the raw rows by `file,line` as rejected/ would hold them, following the data contract without the project's code. */
function readRawRows(parts: readonly Uint8Array[]): Map<string, string> {
  const rows = new Map<string, string>();
  parts.forEach((part, index) => {
    // Latin-1 maps each byte to one character.
    Buffer.from(part).toString("latin1").split("\n").forEach((text, line) => {
      const bytes = text.replace(/\r$/, "");
      if (line === 0 || bytes.replace(/[ \t]|\xc2\xa0|\xe2\x80\xaf/g, "") === "") return;
      const kept = decoder.decode(Buffer.from(bytes.slice(0, MAX_KEPT_BYTES), "latin1"));
      rows.set(`${partName(index)},${line + 1}`, kept.replaceAll("\0", "\ufffd"));
    });
  });
  return rows;
}

/** Asserts the invariants that hold for any input. */
async function checkOutcome(store: Store, run: FuzzRun, facts: Record<string, unknown>): Promise<void> {
  const { runId, round } = run;
  const raw = readRawRows(round.parts);
  const clean = await readRows(store, runId, "clean", SALE_HEADER);
  const rejected = await readRows(store, runId, "rejected", REJECTED_HEADER);
  for (const row of clean) assertMatch(row, CANONICAL);
  assertEquals(new Set(clean.map((row) => row.slice(0, row.indexOf(",")))).size, clean.length);
  const counts = Object.fromEntries(REASONS.map((reason) => [reason as string, 0]));
  const positions: string[] = [];
  for (const line of rejected) {
    const [, position, reason, text] = /^([^,]+,\d+),([a-z_]+),"((?:[^"]|"")*)"$/.exec(line) ?? [];
    assert(position !== undefined && reason !== undefined && text !== undefined, line.slice(0, 200));
    assertEquals(text.replaceAll('""', '"'), raw.get(position), position);
    counts[reason]!++;
    positions.push(position);
  }
  assertEquals(facts.rejected_by_reason, counts);
  const rejectedPositions = new Set(positions);
  assertEquals(positions, [...raw.keys()].filter((position) => rejectedPositions.has(position)));
  const { rows_in, rows_out, duplicates } = facts;
  assertEquals([rows_in, rows_out], [raw.size, clean.length]);
  assertEquals(raw.size, clean.length + Number(duplicates) + rejected.length);
  // Guards against input that is too clean or too broken to test anything.
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
    it(`accounts for every row as clean, duplicate or rejected: ${run.runId}`, async () => {
      await putRound(store, run);
      const { facts } = await cleanRound(store, run);
      await checkOutcome(store, run, facts);
      const clean = await readRows(store, run.runId, "clean", SALE_HEADER);
      const rejected = await readRows(store, run.runId, "rejected", REJECTED_HEADER);
      await cleanRound(store, run, 300_000);
      assertEquals(await readRows(store, run.runId, "clean", SALE_HEADER), clean);
      assertEquals(await readRows(store, run.runId, "rejected", REJECTED_HEADER), rejected);

      const again: FuzzRun = {
        runId: `${run.runId}-again`,
        round: { ...run.round, parts: [Buffer.from([SALE_HEADER, ...clean, ""].join("\n"))] },
      };
      await putRound(store, again);
      assertEquals((await cleanRound(store, again)).rowsOut, clean.length);
      assertEquals(await readRows(store, again.runId, "clean", SALE_HEADER), clean);
    });
  }

  for (const { what, ...run } of wrongHeaderRuns()) {
    it(`reports file and line when a part begins with ${what}`, async () => {
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
