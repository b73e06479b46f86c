/**
 * Runs `deno SUBCOMMAND ARGS…` with a provider for the `@std` packages, chosen here and nowhere else:
 *
 * - `jsr`: the `jsr:` imports of deno.json, as they stand.
 * - `local`: the stand-ins beside this file, backed by Node's own modules, for networks that mirror npm but not JSR.
 *
 * `SALESFLOW_STD=jsr|local` decides; otherwise JSR is asked once whether it can be reached, and the answer is kept
 * for a day in `.cache/`. This program itself imports nothing but files of this folder.
 */
import { runDeno } from "./run_deno.ts";

const [subcommand, ...args] = Deno.args;
if (!subcommand) {
  console.error("usage: deno run -A lib/std/deno.ts SUBCOMMAND ARGS…");
  Deno.exit(2);
}
await runDeno(subcommand, args);
