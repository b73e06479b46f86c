/**
 * Measures the Spark engine on a standalone cluster of two workers; arguments are passed on to bench.py. Needs what the
 * tests of the Spark engine need.
 */
import { run, sparkEnvironment } from "../../python.ts";

const { code } = await run(`${await sparkEnvironment()}/bin/python`, [
  "tests/bench/spark/bench.py",
  "--deno",
  Deno.execPath(),
  ...Deno.args,
]);
Deno.exit(code);
