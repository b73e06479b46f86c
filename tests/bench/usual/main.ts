/**
 * The command against the same job as it is commonly written (pipeline.py: csv, pandas, SQLAlchemy), in pairs, on the
 * same databases: `deno task bench:usual [--rows N] [--rounds N]`. Needs Python 3.11 or newer.
 */
import Table from "cli-table3";
import { startEmbedded } from "../../../lib/embedded/embedded.ts";
import { setUpLogging } from "../../../lib/console/log.ts";
import { environment, findPython, ROOT } from "../../python.ts";
import { argument, median, salesflow, seconds, timed } from "../measure.ts";

const STAGES = ["generate", "clean", "load", "aggregate", "transfer"] as const;

const rows = argument("rows", 1_000_000);
const rounds = argument("rounds", 3);

/** Runs pipeline.py; returns the seconds of its stages. */
async function usual(
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
const folder = await environment(".cache/bench", locks, await findPython(["3.13", "3.12", "3.11"]));
const python = `${folder}/bin/python`;
const home = await Deno.makeTempDir({ prefix: "salesflow-bench-" });
const embedded = await startEmbedded(home);
const env = {
  SALESFLOW_HOME: home,
  SALESFLOW_POSTGRES_URL: embedded.postgresUrl,
  SALESFLOW_CLICKHOUSE_URL: embedded.clickhouseUrl,
};
const args = ["run", "--run-id", "bench", "--rows", String(rows), "--from", "generate", "--quiet"];
const own = new Map<string, number[]>([...STAGES, "whole"].map((stage) => [stage, []]));
const theirs = new Map<string, number[]>([...STAGES, "whole"].map((stage) => [stage, []]));
try {
  await salesflow(args, env); // warm-up, and migrations
  for (let round = 0; round < rounds; round++) {
    own.get("whole")!.push(await timed(() => salesflow(args, env)));
    for (const stage of STAGES) {
      const record = JSON.parse(await Deno.readTextFile(`${home}/runs/bench/stages/${stage}.json`));
      own.get(stage)!.push(record.seconds);
    }
    let spent: Record<string, number> = {};
    theirs.get("whole")!.push(await timed(async () => void (spent = await usual(python, home, env))));
    for (const stage of STAGES) theirs.get(stage)!.push(spent[stage]!);
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
for (const [stage, values] of own) {
  const other = theirs.get(stage)!;
  const ratio = median(values.map((value, index) => other[index]! / value)).toFixed(1);
  table.push([stage === "whole" ? "whole command" : stage, seconds(values), seconds(other), ratio]);
}
console.log(
  `${rows.toLocaleString("en")} sales, ${rounds} rounds, ${navigator.hardwareConcurrency} processors`,
);
console.log(table.toString());
console.log("The whole command of salesflow also verifies and reports; the other does neither.");
