/**
 * `deno task bench [--rows N] [--rounds N]`: measures every stage and its lower bound in pairs.
 * Quote the ratios and medians, not single times: machines differ, and their speed drifts.
 */
import Table from "cli-table3";
import { startEmbedded } from "../../lib/embedded/embedded.ts";
import { setUpLogging } from "../../lib/console/log.ts";
import { readArguments } from "../arguments.ts";
import { bareAggregate, psqlCopy, readAndWrite, writeSameBytes } from "./floors.ts";
import { BENCH_FLAGS, formatSeconds, measure, median, runSalesflow } from "./measure.ts";

const STAGES = ["generate", "clean", "load", "aggregate", "transfer", "verify", "report"] as const;
type Stage = typeof STAGES[number];

const { flags: { rows = 1_000_000, rounds = 5 } } = readArguments({
  command: "deno task bench",
  summary: "Measures every stage and its lower bound in pairs, by default for 1,000,000 sales in 5 rounds.",
  flags: BENCH_FLAGS,
});

await setUpLogging("text", true);
const home = await Deno.makeTempDir({ prefix: "salesflow-bench-" });
const embedded = await startEmbedded(home);
const stageSeconds = Object.fromEntries(STAGES.map((stage) => [stage, [] as number[]])) as Record<
  Stage,
  number[]
>;
const floorSeconds = Object.fromEntries(STAGES.map((stage) => [stage, [] as number[]])) as Record<
  Stage,
  number[]
>;
const totalSeconds: number[] = [];
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
    const total = await measure(() => runSalesflow(args, environment));
    const floors: Partial<Record<Stage, number>> = {
      generate: await writeSameBytes(`${run}/raw`, home),
      clean: await readAndWrite(`${run}/raw`, `${run}/clean`, home),
      load: await psqlCopy(embedded.postgresUrl, `${run}/clean`),
      aggregate: await bareAggregate(embedded.postgresUrl),
    };
    if (round === 0) continue; // warm-up
    totalSeconds.push(total);
    for (const stage of STAGES) {
      stageSeconds[stage].push(JSON.parse(await Deno.readTextFile(`${run}/stages/${stage}.json`)).seconds);
      if (floors[stage] !== undefined) floorSeconds[stage].push(floors[stage]);
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
  const ratio = floorSeconds[stage].length
    ? median(stageSeconds[stage].map((value, index) => value / floorSeconds[stage][index]!)).toFixed(2)
    : "";
  table.push([
    stage,
    formatSeconds(stageSeconds[stage]),
    formatSeconds(floorSeconds[stage]),
    ratio,
    Math.round(rows / median(stageSeconds[stage])).toLocaleString("en"),
  ]);
}
table.push([
  "whole command",
  formatSeconds(totalSeconds),
  "",
  "",
  Math.round(rows / median(totalSeconds)).toLocaleString("en"),
]);
console.log(
  `${
    rows.toLocaleString("en")
  } sales, ${rounds} rounds after one warm-up, ${navigator.hardwareConcurrency} processors`,
);
console.log(table.toString());
console.log(
  "Floors: generate: write the same bytes; clean: read raw and write clean bytes; load: psql \\copy and the primary key; aggregate: the bare statement.",
);
