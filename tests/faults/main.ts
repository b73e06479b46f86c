/**
 * `deno task test:faults [--tries N] [--seed N] [--rows N] [--only kill|network|bucket|disks|memory|clocks|readers]`: every kind of fault, as one table.
 */
import Table from "cli-table3";
import { readArguments } from "../arguments.ts";
import { clockFaults } from "./clocks.ts";
import { databaseDiskFaults } from "./database_disk.ts";
import { goTool, TOXIPROXY, VERSITYGW } from "./go_tool.ts";
import { homeDiskFaults } from "./home_disk.ts";
import { chooseTries, KillMatrix, type TryResult } from "./kill_matrix.ts";
import { memoryFaults } from "./memory.ts";
import { BadNetwork } from "./network.ts";
import { NETWORK_FAULTS } from "./network_faults.ts";
import { readerFaults } from "./readers.ts";
import { resourceFaults } from "./resources.ts";
import type { FaultResult } from "./result.ts";
import { S3_FAULTS } from "./s3_faults.ts";
import { BadBucket } from "./s3_network.ts";

/** Enough for every fault to meet rows on their way, and few enough to try many. */
const FEW_ROWS = 5_000;
/** For many whole runs in a row. */
const FEWER_ROWS = 2_000;
/** Enough to fill a server's disk. */
const ENOUGH_ROWS = 20_000;
const TURNS = 6;
/** Share of the kills that must hit. */
const LEAST_HITS = 0.9;

const KINDS = ["kill", "network", "bucket", "disks", "memory", "clocks", "readers"] as const;

const { flags } = readArguments({
  command: "deno task test:faults",
  summary: "Tries every kind of fault and prints one table.",
  flags: {
    tries: { placeholder: "N", min: 1, help: "number of kills, by default 104" },
    seed: { placeholder: "N", min: 0, help: "repeats the kills of an earlier run, by default random" },
    rows: { placeholder: "N", min: 1, help: "number of sales for the kills, by default 50000" },
    only: { placeholder: "KIND", choices: KINDS, help: "tries one kind" },
  },
});
const { tries = 104, seed = crypto.getRandomValues(new Uint32Array(1))[0]!, rows = 50_000, only } = flags;

async function inHome<T>(work: (home: string) => Promise<T>): Promise<T> {
  const home = await Deno.makeTempDir({ prefix: "salesflow-faults-" });
  try {
    return await work(home);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

function ofStage(victim: TryResult["victim"], same: readonly TryResult[]): FaultResult {
  const hits = same.filter(({ hit }) => hit).length;
  const late = same.length - hits;
  const [first] = same;
  const stage = first!.stage === "migrate" ? "migrate, with no databases before" : first!.stage;
  return {
    fault: `kill -9 of ${victim === "command" ? "the command" : victim} in ${stage}`,
    tried: hits,
    outcome: `same files and tables after running again, nothing left behind${
      late > 0 ? ` (${late} more came too late)` : ""
    }`,
    wrong: [...same.flatMap(({ faults }) => faults), ...(hits === 0 ? ["no kill came in time"] : [])],
  };
}

/** Kills that come too late show nothing: most must hit their stage. */
function allKills(results: readonly TryResult[]): FaultResult {
  const hits = results.filter(({ hit }) => hit).length;
  const enough = hits >= results.length * LEAST_HITS;
  return {
    fault: "kills that hit the stage that was meant",
    tried: results.length,
    outcome: `${hits} of ${results.length}`,
    wrong: enough ? [] : [`only ${hits} of ${results.length} came in time`],
  };
}

async function kills(): Promise<FaultResult[]> {
  console.log(`${tries} kills with ${rows} sales; repeat them with --seed ${seed}`);
  const results = await inHome(async (home) => {
    const matrix = await KillMatrix.prepare(home, rows);
    const results: TryResult[] = [];
    for (const [index, chosen] of chooseTries(tries, seed).entries()) {
      const result = await matrix.try(index, chosen);
      results.push(result);
      const { victim, stage, share, hit, faults } = result;
      const outcome = faults.length > 0 ? `FAILED: ${faults.join("; ")}` : "ok";
      const when = `${(share * 100).toFixed(0)} % of ${stage}${hit ? "" : " (too late)"}`;
      console.log(`${index + 1}/${tries} kill -9 ${victim} at ${when}: ${outcome}`);
    }
    return results;
  });
  const byStage = (["command", "PostgreSQL"] as const).flatMap((victim) =>
    [...new Set(results.map(({ stage }) => stage))]
      .map((stage) => results.filter((result) => result.victim === victim && result.stage === stage))
      .filter((same) => same.length > 0)
      .map((same) => ofStage(victim, same))
  );
  return [...byStage, allKills(results)];
}

/** Tries one fault after the other and says how each went. */
async function tryAll<Fault>(
  faults: readonly Fault[],
  attempt: (fault: Fault) => Promise<FaultResult>,
): Promise<FaultResult[]> {
  const results: FaultResult[] = [];
  for (const fault of faults) {
    const result = await attempt(fault);
    console.log(`${result.fault}: ${result.wrong.length > 0 ? `FAILED: ${result.wrong.join("; ")}` : "ok"}`);
    results.push(result);
  }
  return results;
}

function withoutGo(faults: readonly { name: string }[]): FaultResult[] {
  const skipped = "toxiproxy cannot be built: this machine has no Go";
  return faults.map(({ name }) => ({ fault: name, tried: 0, outcome: "", wrong: [], skipped }));
}

async function network(): Promise<FaultResult[]> {
  const proxy = await goTool(TOXIPROXY);
  if (!proxy) return withoutGo(NETWORK_FAULTS);
  return await inHome(async (home) => {
    const bad = await BadNetwork.prepare(home, proxy, FEW_ROWS);
    try {
      return await tryAll(NETWORK_FAULTS, (fault) => bad.try(fault));
    } finally {
      await bad.close();
    }
  });
}

async function bucket(): Promise<FaultResult[]> {
  const [toxiproxy, versitygw] = [await goTool(TOXIPROXY), await goTool(VERSITYGW)];
  if (!toxiproxy || !versitygw) return withoutGo(S3_FAULTS);
  const bad = await BadBucket.prepare({ toxiproxy, versitygw });
  try {
    return [...await tryAll(S3_FAULTS, (fault) => bad.try(fault)), await bad.wrongClock()];
  } finally {
    await bad.close();
  }
}

const SUITES: Record<typeof KINDS[number], () => Promise<FaultResult[]>> = {
  kill: kills,
  network,
  bucket,
  disks: () =>
    inHome(async (home) => [
      ...await resourceFaults(`${home}/store`, FEW_ROWS),
      ...await homeDiskFaults(`${home}/databases`, FEW_ROWS),
      ...await databaseDiskFaults(`${home}/server`, ENOUGH_ROWS),
    ]),
  memory: () => inHome(memoryFaults),
  clocks: () => inHome((home) => clockFaults(home, FEWER_ROWS)),
  readers: () => inHome((home) => readerFaults(home, FEW_ROWS, TURNS)),
};

async function inTurn(names: readonly (typeof KINDS[number])[]): Promise<FaultResult[]> {
  const results: FaultResult[] = [];
  for (const name of names) {
    const started = performance.now();
    try {
      results.push(...await SUITES[name]());
    } catch (error) {
      // A suite that cannot even begin must not hide how the others went.
      const wrong = [error instanceof Error ? error.message : String(error)];
      results.push({ fault: name, tried: 0, outcome: "", wrong });
      console.log(`${name}: FAILED: ${wrong.join()}`);
    }
    console.log(`${name}: ${((performance.now() - started) / 1000).toFixed(0)} s`);
  }
  return results;
}

/** Bad networks are mostly waiting, and nothing here counts time: each row runs beside the others. */
const BESIDE: (typeof KINDS[number])[][] = [["network"], ["bucket"], ["memory", "clocks"]];
const wanted = KINDS.filter((name) => only === undefined || name === only);
const among = (names: readonly string[]) => wanted.filter((name) => names.includes(name));
const before = await inTurn(among(["kill"]));
const beside = await Promise.all(BESIDE.map((names) => inTurn(among(names))));
const after = await inTurn(wanted.filter((name) => !["kill", ...BESIDE.flat()].includes(name)));
const results = [before, ...beside, after].flat();

const table = new Table({ head: ["fault", "times tried", "outcome"], style: { head: [], border: [] } });
for (const { fault, tried, outcome, wrong, skipped } of results) {
  table.push([
    fault,
    tried,
    skipped ? `not tried: ${skipped}` : wrong.length > 0 ? "FAILED, see below" : outcome,
  ]);
}
console.log(table.toString());
// Each begins a line, where .ci/run looks for what failed.
const failures = results.filter(({ wrong }) => wrong.length > 0);
for (const { fault, wrong } of failures) console.log(`FAILED ${fault}: ${wrong.join("; ")}`);
const failed = failures.length;
const skipped = results.filter(({ skipped }) => skipped !== undefined).length;
console.log(
  `${results.length - failed - skipped} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`,
);
Deno.exit(failed > 0 || results.length === 0 ? 1 : 0);
