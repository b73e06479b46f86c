/**
 * `deno task bench:usual [--rows N] [--rounds N]`: compares the command with a conventional implementation of the same job
 * (pipeline.py: csv, pandas, SQLAlchemy), in pairs, on the same databases. Needs Python 3.11 or newer.
 */
import Table from "cli-table3";
import { startEmbedded } from "../../../lib/embedded/embedded.ts";
import { setUpLogging } from "../../../lib/console/log.ts";
import { readArguments } from "../../arguments.ts";
import { ensureVenv, findPython, ROOT } from "../../python.ts";
import { BENCH_FLAGS, formatSeconds, measure, median, runSalesflow } from "../measure.ts";

const STAGES = ["generate", "clean", "load", "aggregate", "transfer"] as const;

const { flags: { rows = 1_000_000, rounds = 3 } } = readArguments({
  command: "deno task bench:usual",
  summary:
    "Compares the pipeline with the same job in pandas and SQLAlchemy, by default for 1,000,000 sales in 3 rounds.",
  flags: BENCH_FLAGS,
});

/** Runs pipeline.py; returns the seconds of each stage. */
async function runPipeline(
  python: string,
  folder: string,
  env: Record<string, string>,
): Promise<Record<string, number>> {
  const { success, stdout, stderr } = await new Deno.Command(python, {
    args: ["tests/bench/usual/pipeline.py", folder, String(rows)],
    cwd: ROOT,
    env,
    stderr: "piped",
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

await setUpLogging("text", true);
const locks = ["tests/bench/usual/requirements.txt"];
const folder = await ensureVenv(".cache/bench", locks, await findPython(["3.13", "3.12", "3.11"]));
const python = `${folder}/bin/python`;
const home = await Deno.makeTempDir({ prefix: "salesflow-bench-" });
const embedded = await startEmbedded(home);
const env = {
  SALESFLOW_HOME: home,
  SALESFLOW_POSTGRES_URL: embedded.postgresUrl,
  SALESFLOW_CLICKHOUSE_URL: embedded.clickhouseUrl,
};
const args = ["run", "--run-id", "bench", "--rows", String(rows), "--from", "generate", "--quiet"];
const salesflowSeconds = new Map<string, number[]>([...STAGES, "whole"].map((stage) => [stage, []]));
const pandasSeconds = new Map<string, number[]>([...STAGES, "whole"].map((stage) => [stage, []]));
try {
  await runSalesflow(args, env); // warm-up, and migrations
  for (let round = 0; round < rounds; round++) {
    salesflowSeconds.get("whole")!.push(await measure(() => runSalesflow(args, env)));
    for (const stage of STAGES) {
      const record = JSON.parse(await Deno.readTextFile(`${home}/runs/bench/stages/${stage}.json`));
      salesflowSeconds.get(stage)!.push(record.seconds);
    }
    let stages: Record<string, number> = {};
    pandasSeconds.get("whole")!.push(
      await measure(async () => void (stages = await runPipeline(python, home, env))),
    );
    for (const stage of STAGES) pandasSeconds.get(stage)!.push(stages[stage]!);
  }
} finally {
  await embedded.close();
  await Deno.remove(home, { recursive: true });
}

const table = new Table({
  head: ["stage", "salesflow, s: median (min–max)", "pandas and SQLAlchemy, s", "ratio"],
  colAligns: ["left", "right", "right", "right"],
  style: { head: [], border: [] },
});
for (const [stage, values] of salesflowSeconds) {
  const other = pandasSeconds.get(stage)!;
  const ratio = median(values.map((value, index) => other[index]! / value)).toFixed(1);
  table.push([
    stage === "whole" ? "whole command" : stage,
    formatSeconds(values),
    formatSeconds(other),
    ratio,
  ]);
}
console.log(
  `${rows.toLocaleString("en")} sales, ${rounds} rounds, ${navigator.hardwareConcurrency} processors`,
);
console.log(table.toString());
console.log("The whole command of salesflow also verifies and reports; the other pipeline does neither.");
