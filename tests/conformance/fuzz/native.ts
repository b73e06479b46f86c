/** Writes fuzzed raw data to a store and runs the native engine on it. */
import { clean } from "../../../lib/clean/clean.ts";
import { writeRun } from "../../../lib/pipeline/records.ts";
import type { StageContext, StageResult } from "../../../lib/pipeline/stage.ts";
import { SALE_HEADER } from "../../../lib/domain/sale.ts";
import type { Store } from "../../../lib/store/store.ts";
import { putRaw } from "../cases.ts";
import { type FuzzRound, fuzzRound, WRONG_HEADERS } from "./raw_parts.ts";

/** A run, with its raw data and the options for clean. */
export interface FuzzRun {
  runId: string;
  round: FuzzRound;
}

const GOOD_PART = new TextEncoder().encode(`${SALE_HEADER}\n1,11,22,3,2026-11-24,10.00,North\n`);

/** Returns the runs of a seed. */
export function fuzzRuns(seed: number, rounds: number): FuzzRun[] {
  return Array.from({ length: rounds }, (_, round) => ({
    runId: `fuzz-${seed}-${round}`,
    round: fuzzRound(seed, round),
  }));
}

/** Returns runs whose second part begins with a wrong header. */
export function wrongHeaderRuns(): (FuzzRun & { what: string })[] {
  return WRONG_HEADERS.map(([what, part], index) => ({
    runId: `header-${index}`,
    round: {
      parts: [GOOD_PART, part],
      asOf: "2026-11-24",
      dateRange: true,
      onConflict: undefined,
      rangeBytes: 1 << 20,
    },
    what,
  }));
}

/** Publishes the raw dataset of a run, with its run record. */
export async function putRound(store: Store, { runId, round }: FuzzRun): Promise<void> {
  await putRaw(store, runId, round);
  await writeRun(store, { run_id: runId, as_of: round.asOf, source: "ingested", parameters: {} });
}

/** Runs the native engine on a run. */
export async function cleanRound(
  store: Store,
  { runId, round }: FuzzRun,
  rangeBytes = round.rangeBytes,
): Promise<StageResult> {
  const context: StageContext = {
    runId,
    asOf: round.asOf,
    store,
    postgresUrl: "",
    clickhouseUrl: "",
    signal: new AbortController().signal,
    progress() {},
  };
  return await clean(context, { maxRejected: 1, checkDateRange: round.dateRange, workers: 2, rangeBytes });
}
