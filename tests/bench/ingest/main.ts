/**
 * `deno task bench:ingest [--rows N] [--rounds N]`: compares the stage ingest with DuckDB and pandas (peers.py), in turns, for an
 * export with a source file and for one in the columns of raw/, which is compared with the stage clean, too. Needs Python 3.11
 * or newer.
 */
import Table from "cli-table3";
import { readArguments } from "../../arguments.ts";
import { ensureVenv, findPython, ROOT } from "../../python.ts";
import { BENCH_FLAGS, formatSeconds, median, runSalesflow } from "../measure.ts";
import { writeCanonicalExport, writeShopExport } from "./export.ts";

const { flags: { rows = 1_000_000, rounds = 5 } } = readArguments({
  command: "deno task bench:ingest",
  summary: "Compares the stage ingest with DuckDB and pandas, by default for 1,000,000 sales in 5 rounds.",
  flags: BENCH_FLAGS,
});
const locks = ["tests/bench/ingest/requirements.txt"];
const python = `${await ensureVenv(
  ".cache/bench",
  locks,
  await findPython(["3.13", "3.12", "3.11"]),
)}/bin/python`;
const folder = await Deno.makeTempDir({ prefix: "salesflow-bench-" });

/** Runs a stage; returns the seconds that its record says. */
async function runStage(runId: string, stage: string, args: string[]): Promise<number> {
  await runSalesflow([stage, "--run-id", runId, "--as-of", "2026-11-24", "--quiet", ...args], {
    SALESFLOW_HOME: `${folder}/home`,
  });
  return JSON.parse(await Deno.readTextFile(`${folder}/home/runs/${runId}/stages/${stage}.json`)).seconds;
}

async function runPeer(way: string): Promise<number> {
  const { success, stdout, stderr } = await new Deno.Command(python, {
    args: ["tests/bench/ingest/peers.py", folder, way],
    cwd: ROOT,
    stderr: "piped",
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout)).seconds;
}

interface Way {
  name: string;
  run: () => Promise<number>;
}

/** What is compared; the first way of each group is ours. */
const GROUPS: { title: string; ways: Way[] }[] = [
  {
    title: "with a source file",
    ways: [
      {
        name: "salesflow ingest",
        run: () => runStage("shop", "ingest", ["--source", `${folder}/shop.yaml`]),
      },
      { name: "DuckDB, with a directory of ids", run: () => runPeer("duckdb_shop_ids") },
      { name: "DuckDB, without", run: () => runPeer("duckdb_shop") },
      { name: "pandas, without", run: () => runPeer("pandas_shop") },
    ],
  },
  {
    title: "columns of raw/",
    ways: [
      { name: "salesflow ingest", run: () => runStage("canonical", "ingest", [`${folder}/canonical.csv`]) },
      { name: "salesflow clean", run: () => runStage("canonical", "clean", []) },
      { name: "DuckDB", run: () => runPeer("duckdb_canonical") },
      { name: "pandas", run: () => runPeer("pandas_canonical") },
    ],
  },
];

const seconds = GROUPS.map(({ ways }) => ways.map(() => [] as number[]));
try {
  await writeShopExport(folder, rows);
  await writeCanonicalExport(folder, rows);
  for (let round = 0; round <= rounds; round++) {
    for (const [group, { ways }] of GROUPS.entries()) {
      for (const [way, { run }] of ways.entries()) {
        const taken = await run();
        if (round > 0) seconds[group]![way]!.push(taken); // the first round warms up
      }
    }
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}

const table = new Table({
  head: ["export", "way", "seconds: median (min–max)", "ingest takes", "rows/s"],
  colAligns: ["left", "left", "right", "right", "right"],
  style: { head: [], border: [] },
});
for (const [group, { title, ways }] of GROUPS.entries()) {
  const ours = seconds[group]![0]!;
  for (const [way, { name }] of ways.entries()) {
    const taken = seconds[group]![way]!;
    const ratio = median(ours.map((value, index) => value / taken[index]!)).toFixed(2);
    const speed = Math.round(rows / median(taken)).toLocaleString("en");
    table.push([title, name, formatSeconds(taken), way === 0 ? "" : `${ratio} times`, speed]);
  }
}
console.log(
  `${
    rows.toLocaleString("en")
  } sales, ${rounds} rounds after one warm-up, ${navigator.hardwareConcurrency} processors`,
);
console.log(table.toString());
console.log(
  "The seconds of the stages include reading, checksums and syncing to disk; those of the peers neither checksums nor syncing, nor " +
    "does a peer count lines, keep them in order, name mistakes, or compare hashes for clashes.",
);
