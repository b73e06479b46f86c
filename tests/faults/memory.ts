/**
 * Memory limits: the command keeps to the limit that the documentation promises, and when the kernel kills it at a smaller one, the next run with enough
 * memory gives the files and tables of an undisturbed run. The databases run outside of the limit, as servers of their own do.
 */
import { startEmbedded } from "../../lib/embedded/embedded.ts";
import { MemoryGroup, NO_GROUPS } from "./cgroup.ts";
import { type Outcome, start } from "./command.ts";
import type { FaultResult } from "./result.ts";
import { differences, type State, wholeStateOf } from "./state.ts";
import { leftovers, strayTables } from "./traces.ts";

/** What docs/faults.md promises: all stages of 1,000,000 sales, one after the other in one process, with so many threads within so much memory. */
const PROMISED_ROWS = 1_000_000;
const PROMISES = [{ threads: 4, limitMiB: 512 }, { threads: 16, limitMiB: 1024 }] as const;
/** Far too little for generate, for clean, and nearly enough for clean. */
const TOO_SMALL = { rows: 300_000, limitsMiB: [60, 100, 140] };
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
  const group = MemoryGroup.make(limitMiB);
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

async function promised(home: string, { threads, limitMiB }: typeof PROMISES[number]): Promise<FaultResult> {
  const sales = { rows: PROMISED_ROWS, seed: limitMiB, threads };
  const { code, stderr, peakMiB, kills } = await runWithin(limitMiB, home, sales);
  const wrong = code === 0 && kills === 0 ? [] : [`it ended with ${code}: ${stderr.slice(-400)}`];
  return {
    fault: `${sales.rows.toLocaleString("en")} sales, ${threads} threads, ${limitMiB} MiB for the command`,
    tried: 1,
    outcome: `all stages done and verified; at most ${peakMiB} MiB, cached files included`,
    wrong,
  };
}

async function killed(home: string): Promise<FaultResult> {
  const { rows, limitsMiB } = TOO_SMALL;
  const wrong: string[] = [];
  const states: State[] = [];
  for (const seed of [1, 2]) {
    const { code, stderr } = await runWithin(ENOUGH_MIB, home, { rows, seed, threads: FEW_THREADS });
    if (code !== 0) throw new Error(`the undisturbed run failed: ${stderr}`);
    states.push(await wholeStateOf(home, RUN_ID));
  }
  for (const [at, limitMiB] of limitsMiB.entries()) {
    const seed = 1 + at % 2;
    const sales = { rows, seed, threads: FEW_THREADS };
    const what = `with ${limitMiB} MiB`;
    const { code, kills } = await runWithin(limitMiB, home, sales);
    if (kills === 0) wrong.push(`${what} nothing was killed; it ended with ${code}`);
    const again = await runWithin(ENOUGH_MIB, home, sales);
    if (again.code !== 0) {
      wrong.push(`${what} the next run ended with ${again.code}: ${again.stderr.slice(-400)}`);
    }
    const found = differences(await wholeStateOf(home, RUN_ID), states[seed - 1]!);
    wrong.push(...found.map((difference) => `${what} ${difference}`));
  }
  return {
    fault: `killed by the kernel at a limit of ${limitsMiB.join(", ")} MiB`,
    tried: limitsMiB.length,
    outcome: "same files and tables after running again with enough memory, nothing left behind",
    wrong,
  };
}

/** Tries all of them. */
export async function memoryFaults(home: string): Promise<FaultResult[]> {
  const group = MemoryGroup.make(ENOUGH_MIB);
  if (!group) return [{ fault: "memory limits", tried: 0, outcome: "", wrong: [], skipped: NO_GROUPS }];
  group.remove();
  const databases = await startEmbedded(home);
  const results: FaultResult[] = [];
  let small: FaultResult;
  try {
    for (const promise of PROMISES) results.push(await promised(home, promise));
    small = await killed(home);
    small.wrong.push(...await strayTables(home));
  } finally {
    await databases.close();
  }
  small.wrong.push(...await leftovers(home, RUN_ID));
  return [...results, small];
}
