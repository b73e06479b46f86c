/**
 * Every stage against its floor, in pairs, in one run: `deno task bench [--rows N] [--rounds N]`.
 * Machines differ and drift: quote the ratios and medians, not single times.
 */
import Table from "cli-table3";
import { startEmbedded } from "../../lib/embedded/embedded.ts";
import { setUpLogging } from "../../lib/console/log.ts";
import { bareAggregate, psqlCopy, readAndWrite, writeSameBytes } from "./floors.ts";
import { argument, median, salesflow, seconds, timed } from "./measure.ts";

const STAGES = ["generate", "clean", "load", "aggregate", "transfer", "verify", "report"] as const;
type Stage = typeof STAGES[number];

const rows = argument("rows", 1_000_000);
const rounds = argument("rounds", 5);

await setUpLogging("text", true);
const home = await Deno.makeTempDir({ prefix: "salesflow-bench-" });
const embedded = await startEmbedded(home);
const own = Object.fromEntries(STAGES.map((stage) => [stage, [] as number[]])) as Record<Stage, number[]>;
const floor = Object.fromEntries(STAGES.map((stage) => [stage, [] as number[]])) as Record<Stage, number[]>;
const whole: number[] = [];
const run = `${home}/runs/bench`;
const environment = {
  SALESFLOW_HOME: home,
  SALESFLOW_POSTGRES_URL: embedded.postgresUrl,
  SALESFLOW_CLICKHOUSE_URL: embedded.clickhouseUrl,
};
const args = [
  "run",
  "--run-id",
  "bench",
  "--as-of",
  "2026-11-24",
  "--rows",
  String(rows),
  "--from",
  "generate",
  "--quiet",
];
try {
  for (let round = 0; round <= rounds; round++) {
    const total = await timed(() => salesflow(args, environment));
    const floors: Partial<Record<Stage, number>> = {
      generate: await writeSameBytes(`${run}/raw`, home),
      clean: await readAndWrite(`${run}/raw`, `${run}/clean`, home),
      load: await psqlCopy(embedded.postgresUrl, `${run}/clean`),
      aggregate: await bareAggregate(embedded.postgresUrl),
    };
    if (round === 0) continue; // warm-up
    whole.push(total);
    for (const stage of STAGES) {
      own[stage].push(JSON.parse(await Deno.readTextFile(`${run}/stages/${stage}.json`)).seconds);
      if (floors[stage] !== undefined) floor[stage].push(floors[stage]);
    }
  }
} finally {
  await embedded.close();
  await Deno.remove(home, { recursive: true });
}

const table = new Table({
  head: ["stage", "seconds: median (min–max)", "floor", "ratio", "rows/s"],
  colAligns: ["left", "right", "right", "right", "right"],
  style: { head: [], border: [] },
});
for (const stage of STAGES) {
  const ratio = floor[stage].length
    ? median(own[stage].map((value, index) => value / floor[stage][index]!)).toFixed(2)
    : "";
  table.push([
    stage,
    seconds(own[stage]),
    seconds(floor[stage]),
    ratio,
    Math.round(rows / median(own[stage])).toLocaleString("en"),
  ]);
}
table.push(["whole command", seconds(whole), "", "", Math.round(rows / median(whole)).toLocaleString("en")]);
console.log(
  `${
    rows.toLocaleString("en")
  } sales, ${rounds} rounds after one warm-up, ${navigator.hardwareConcurrency} processors`,
);
console.log(table.toString());
console.log(
  "Floors: generate, writing the same bytes; clean, reading raw and writing clean bytes; load, psql \\copy and the key; aggregate, the bare statement.",
);
