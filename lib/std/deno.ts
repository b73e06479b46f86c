/**
 * Runs `deno SUBCOMMAND ARGS…` with one of two providers of the `@std` packages:
 *
 * - `jsr`: the `jsr:` imports of deno.json.
 * - `local`: the stand-ins in this folder, backed by Node's built-in modules, for networks that mirror npm but not JSR.
 *
 * `SALESFLOW_STD=jsr|local` selects the provider. By default JSR is probed once, and the result is cached in `.cache/`
 * for a day. Imports only files of this folder, so that it runs before anything is downloaded.
 */
import { runDeno } from "./run_deno.ts";

const [subcommand, ...args] = Deno.args;
if (!subcommand) {
  console.error("usage: deno run -A lib/std/deno.ts SUBCOMMAND ARGS…");
  Deno.exit(2);
}
await runDeno(subcommand, args);
