/**
 * Measures the Spark engine on a standalone cluster of two workers; arguments are passed on to bench.py. Needs what the
 * tests of the Spark engine need.
 */
import { pythonEnvironment, ROOT } from "../../spark/environment.ts";

const { code } = await new Deno.Command(await pythonEnvironment(), {
  args: ["tests/bench/spark/bench.py", "--deno", Deno.execPath(), ...Deno.args],
  cwd: ROOT,
}).spawn().status;
Deno.exit(code);
