/**
 * Memory limits: the command keeps to the limit that the documentation promises, and when the kernel kills it at a smaller one, the next run with enough
 * memory gives the files and tables of an undisturbed run. The databases run outside of the limit, as servers of their own do.
 */
import { startEmbedded } from "../../lib/embedded/embedded.ts";
import { MemoryGroup, NO_GROUPS } from "./cgroup.ts";
import { type Outcome, start } from "./command.ts";
import type { FaultResult } from "./result.ts";
import { differences, leftovers, type State, stateOf, strayTables } from "./state.ts";

/** What docs/faults.md promises: all stages of so many sales, one after the other in one process, within so much memory. */
const PROMISE = { rows: 1_000_000, limitMiB: 512 };
/** Far too little for generate, for clean, and nearly enough for clean. */
const TOO_SMALL = { rows: 300_000, limitsMiB: [60, 100, 140] };
const RUN_ID = "limited";

interface Limited extends Outcome {
  peakMiB: number;
  kills: number;
}

async function runWithin(limitMiB: number, home: string, rows: number, seed: number): Promise<Limited> {
  const group = MemoryGroup.make(limitMiB);
  if (!group) throw new Error(NO_GROUPS);
  try {
    const sales = ["--rows", String(rows), "--seed", String(seed)];
    const args = ["run", "--run-id", RUN_ID, "--as-of", "2026-11-24", ...sales];
    const outcome = await start(args, { SALESFLOW_HOME: home }, () => {}, group.prefix).outcome;
    return { ...outcome, peakMiB: group.peakMiB, kills: group.kills };
  } finally {
    group.remove();
  }
}

async function promised(home: string): Promise<FaultResult> {
  const { rows, limitMiB } = PROMISE;
  const { code, stderr, peakMiB, kills } = await runWithin(limitMiB, home, rows, 1);
  const wrong = code === 0 && kills === 0 ? [] : [`it ended with ${code}: ${stderr.slice(-400)}`];
  return {
    fault: `${rows.toLocaleString("en")} sales with a limit of ${limitMiB} MiB for the command`,
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
    const { code, stderr } = await runWithin(PROMISE.limitMiB, home, rows, seed);
    if (code !== 0) throw new Error(`the undisturbed run failed: ${stderr}`);
    states.push(await stateOf(home, RUN_ID));
  }
  for (const [at, limitMiB] of limitsMiB.entries()) {
    const seed = 1 + at % 2;
    const what = `with ${limitMiB} MiB`;
    const { code, kills } = await runWithin(limitMiB, home, rows, seed);
    if (kills === 0) wrong.push(`${what} nothing was killed; it ended with ${code}`);
    const again = await runWithin(PROMISE.limitMiB, home, rows, seed);
    if (again.code !== 0) {
      wrong.push(`${what} the next run ended with ${again.code}: ${again.stderr.slice(-400)}`);
    }
    const found = differences(await stateOf(home, RUN_ID), states[seed - 1]!);
    wrong.push(...found.map((difference) => `${what} ${difference}`));
  }
  return {
    fault: `killed by the kernel at a limit of ${limitsMiB.join(", ")} MiB`,
    tried: limitsMiB.length,
    outcome: "same files and tables after running again with enough memory, nothing left behind",
    wrong,
  };
}

/** Tries both. */
export async function memoryFaults(home: string): Promise<FaultResult[]> {
  const group = MemoryGroup.make(PROMISE.limitMiB);
  if (!group) return [{ fault: "memory limits", tried: 0, outcome: "", wrong: [], skipped: NO_GROUPS }];
  group.remove();
  const databases = await startEmbedded(home);
  const results: FaultResult[] = [];
  try {
    results.push(await promised(home), await killed(home));
    results[1]!.wrong.push(...await strayTables(home));
  } finally {
    await databases.close();
  }
  results[1]!.wrong.push(...await leftovers(home, RUN_ID));
  return results;
}
