/**
 * `deno task test:faults [--tries N] [--seed N] [--rows N] [--only kill|network|resources|readers]`: every kind of fault, as one table.
 */
import Table from "cli-table3";
import { goTool, TOXIPROXY } from "./go_tool.ts";
import { chooseTries, KillMatrix, type TryResult } from "./kill_matrix.ts";
import { BadNetwork } from "./network.ts";
import { NETWORK_FAULTS } from "./network_faults.ts";
import { readerFaults } from "./readers.ts";
import { resourceFaults } from "./resources.ts";
import type { FaultResult } from "./result.ts";

/** Enough for every fault to meet rows on their way, and few enough to try many. */
const FEW_ROWS = 5_000;
const TURNS = 6;

function argument(name: string): string | undefined {
  const place = Deno.args.indexOf(`--${name}`);
  return place < 0 ? undefined : Deno.args[place + 1];
}

const tries = Number(argument("tries") ?? 104);
const seed = Number(argument("seed") ?? crypto.getRandomValues(new Uint32Array(1))[0]!);
const rows = Number(argument("rows") ?? 50_000);

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
  return {
    fault: `kill -9 of ${victim === "command" ? "the command" : victim} in ${same[0]!.stage}`,
    tried: same.length,
    outcome: `same files and tables after running again, nothing left behind (${hits} hit in time)`,
    wrong: same.flatMap(({ faults }) => faults),
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
  return (["command", "PostgreSQL"] as const).flatMap((victim) =>
    [...new Set(results.map(({ stage }) => stage))]
      .map((stage) => results.filter((result) => result.victim === victim && result.stage === stage))
      .filter((same) => same.length > 0)
      .map((same) => ofStage(victim, same))
  );
}

async function network(): Promise<FaultResult[]> {
  const proxy = await goTool(TOXIPROXY);
  if (!proxy) {
    const skipped = "toxiproxy cannot be built: this machine has no Go";
    return NETWORK_FAULTS.map(({ name }) => ({ fault: name, tried: 0, outcome: "", wrong: [], skipped }));
  }
  return await inHome(async (home) => {
    const bad = await BadNetwork.prepare(home, proxy, FEW_ROWS);
    try {
      const results: FaultResult[] = [];
      for (const fault of NETWORK_FAULTS) {
        const result = await bad.try(fault);
        console.log(
          `${result.fault}: ${result.wrong.length > 0 ? `FAILED: ${result.wrong.join("; ")}` : "ok"}`,
        );
        results.push(result);
      }
      return results;
    } finally {
      await bad.close();
    }
  });
}

const SUITES: Record<string, () => Promise<FaultResult[]>> = {
  kill: kills,
  network,
  resources: () => resourceFaults(FEW_ROWS),
  readers: () => inHome((home) => readerFaults(home, FEW_ROWS, TURNS)),
};

const only = argument("only");
if (only !== undefined && !Object.hasOwn(SUITES, only)) {
  console.error(`Cannot use --only ${only}: it must be one of ${Object.keys(SUITES).join(", ")}`);
  Deno.exit(2);
}
const results: FaultResult[] = [];
for (const [name, suite] of Object.entries(SUITES)) {
  if (only !== undefined && name !== only) continue;
  try {
    results.push(...await suite());
  } catch (error) {
    // A suite that cannot even begin must not hide how the others went.
    results.push({
      fault: name,
      tried: 0,
      outcome: "",
      wrong: [error instanceof Error ? error.message : String(error)],
    });
  }
}

const table = new Table({ head: ["fault", "times tried", "outcome"], style: { head: [], border: [] } });
for (const { fault, tried, outcome, wrong, skipped } of results) {
  table.push([
    fault,
    tried,
    skipped ? `not tried: ${skipped}` : wrong.length > 0 ? `FAILED: ${wrong.join("; ")}` : outcome,
  ]);
}
console.log(table.toString());
const failed = results.filter(({ wrong }) => wrong.length > 0).length;
const skipped = results.filter(({ skipped }) => skipped !== undefined).length;
console.log(
  `${results.length - failed - skipped} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`,
);
Deno.exit(failed > 0 || results.length === 0 ? 1 : 0);
