/**
 * `deno task bench:spark`: measures the Spark engine on a standalone cluster of two workers. Arguments are passed on to
 * bench.py. Has the same requirements as the tests of the Spark engine.
 */
import { ensureSparkVenv, run } from "../../python.ts";

const { code } = await run(`${await ensureSparkVenv()}/bin/python`, [
  "tests/bench/spark/bench.py",
  "--deno",
  Deno.execPath(),
  ...Deno.args,
]);
Deno.exit(code);
