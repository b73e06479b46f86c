/**
 * Measures the Spark engine on a standalone cluster of two workers; arguments are passed on to bench.py. Needs what the
 * tests of the Spark engine need, and has the JDBC driver from their last run.
 */
import { HOME, pythonEnvironment, ROOT } from "../../spark/environment.ts";

/** The PostgreSQL JDBC driver that Spark fetched for the tests. */
async function driverJar(): Promise<string> {
  const folder = new URL(`${HOME}/ivy/jars/`, ROOT);
  try {
    for await (const { name } of Deno.readDir(folder)) {
      if (/_postgresql-[\d.]+\.jar$/.test(name)) return new URL(name, folder).pathname;
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  throw new Error("There is no JDBC driver yet: run deno task test:spark first");
}

const python = await pythonEnvironment();
const { code } = await new Deno.Command(python, {
  args: ["tests/bench/spark/bench.py", "--deno", Deno.execPath(), "--jar", await driverJar(), ...Deno.args],
  cwd: ROOT,
}).spawn().status;
Deno.exit(code);
