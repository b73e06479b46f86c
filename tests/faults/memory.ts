/**
 * Memory limits: the command stays within the documented limit. When the kernel kills it at a smaller limit, the next run
 * with enough memory produces the files and tables of a run without faults. The databases run outside of the limit, like
 * separate servers.
 */
import { startEmbedded } from "../../lib/embedded/embedded.ts";
import { MemoryGroup, NO_GROUPS } from "./cgroup.ts";
import { type Outcome, start } from "./command.ts";
import type { FaultResult } from "./result.ts";
import { findDifferences, readFullState, type State } from "./state.ts";
import { findLeftovers, findStrayTables } from "./traces.ts";

/** Limits documented in docs/faults.md: all stages of 1,000,000 sales in one process, by number of threads. */
const DOCUMENTED_ROWS = 1_000_000;
const DOCUMENTED_LIMITS = [{ threads: 4, limitMiB: 512 }, { threads: 16, limitMiB: 1024 }] as const;
/** Much too little for generate, too little for clean, and almost enough for clean. */
const TOO_LITTLE = { rows: 300_000, limitsMiB: [60, 100, 140] };
const ENOUGH_MIB = 512;
const FEW_THREADS = 2;
const RUN_ID = "limited";

interface Limited extends Outcome {
  peakMiB: number;
  kills: number;
}

interface Sales {
  rows: number;
  seed: number;
  threads: number;
}

async function runWithin(limitMiB: number, home: string, { rows, seed, threads }: Sales): Promise<Limited> {
  const group = MemoryGroup.create(limitMiB);
  if (!group) throw new Error(NO_GROUPS);
  try {
    const sales = ["--rows", String(rows), "--seed", String(seed), "--workers", String(threads)];
    const args = ["run", "--run-id", RUN_ID, "--as-of", "2026-11-24", ...sales];
    const outcome = await start(args, { SALESFLOW_HOME: home }, () => {}, group.prefix).outcome;
    return { ...outcome, peakMiB: group.peakMiB, kills: group.kills };
  } finally {
    group.remove();
  }
}

async function tryDocumentedLimit(
  home: string,
  { threads, limitMiB }: typeof DOCUMENTED_LIMITS[number],
): Promise<FaultResult> {
  const sales = { rows: DOCUMENTED_ROWS, seed: limitMiB, threads };
  const { code, stderr, peakMiB, kills } = await runWithin(limitMiB, home, sales);
  const wrong = code === 0 && kills === 0 ? [] : [`it exited with ${code}: ${stderr.slice(-400)}`];
  return {
    fault: `${sales.rows.toLocaleString("en")} sales, ${threads} threads, ${limitMiB} MiB for the command`,
    tried: 1,
    outcome: `all stages done and verified; at most ${peakMiB} MiB, cached files included`,
    wrong,
  };
}

async function tryTooLittle(home: string): Promise<FaultResult> {
  const { rows, limitsMiB } = TOO_LITTLE;
  const wrong: string[] = [];
  const states: State[] = [];
  for (const seed of [1, 2]) {
    const { code, stderr } = await runWithin(ENOUGH_MIB, home, { rows, seed, threads: FEW_THREADS });
    if (code !== 0) throw new Error(`the run without faults failed: ${stderr}`);
    states.push(await readFullState(home, RUN_ID));
  }
  for (const [at, limitMiB] of limitsMiB.entries()) {
    const seed = 1 + at % 2;
    const sales = { rows, seed, threads: FEW_THREADS };
    const what = `with ${limitMiB} MiB`;
    const { code, kills } = await runWithin(limitMiB, home, sales);
    if (kills === 0) wrong.push(`${what} nothing was killed; it exited with ${code}`);
    const again = await runWithin(ENOUGH_MIB, home, sales);
    if (again.code !== 0) {
      wrong.push(`${what} the next run exited with ${again.code}: ${again.stderr.slice(-400)}`);
    }
    const found = findDifferences(await readFullState(home, RUN_ID), states[seed - 1]!);
    wrong.push(...found.map((difference) => `${what} ${difference}`));
  }
  return {
    fault: `killed by the kernel at a limit of ${limitsMiB.join(", ")} MiB`,
    tried: limitsMiB.length,
    outcome: "same files and tables after running again with enough memory, nothing left behind",
    wrong,
  };
}

/** Tests all memory faults. */
export async function memoryFaults(home: string): Promise<FaultResult[]> {
  const group = MemoryGroup.create(ENOUGH_MIB);
  if (!group) return [{ fault: "memory limits", tried: 0, outcome: "", wrong: [], skipped: NO_GROUPS }];
  group.remove();
  const databases = await startEmbedded(home);
  const results: FaultResult[] = [];
  let small: FaultResult;
  try {
    for (const limit of DOCUMENTED_LIMITS) results.push(await tryDocumentedLimit(home, limit));
    small = await tryTooLittle(home);
    small.wrong.push(...await findStrayTables(home));
  } finally {
    await databases.close();
  }
  small.wrong.push(...await findLeftovers(home, RUN_ID));
  return [...results, small];
}
