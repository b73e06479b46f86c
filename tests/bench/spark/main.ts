/**
 * `deno task bench:spark`: measures the Spark engine on a standalone cluster of two workers. Flags are passed on to bench.py.
 * Has the same requirements as the tests of the Spark engine.
 */
import { readArguments } from "../../arguments.ts";
import { ensureSparkVenv, run } from "../../python.ts";

// Checked here, before a Python environment is created.
readArguments({
  command: "deno task bench:spark",
  summary: "Measures the Spark engine on a standalone cluster.",
  flags: {
    rows: { placeholder: "N,N,…", help: "numbers of sales, by default 1000000,5000000,20000000" },
    workers: { placeholder: "N", min: 1, help: "number of workers, by default 2" },
    cores: { placeholder: "N", min: 1, help: "cores of each worker, by default 1" },
    "executor-memory": { placeholder: "SIZE", help: "memory of each executor, by default 1g" },
    "driver-memory": { placeholder: "SIZE", help: "memory of the driver, by default 1g" },
    folder: { placeholder: "FOLDER", help: "where there is room, by default the temporary folder" },
  },
});
const { code } = await run(`${await ensureSparkVenv()}/bin/python`, [
  "tests/bench/spark/bench.py",
  "--deno",
  Deno.execPath(),
  ...Deno.args,
]);
Deno.exit(code);
