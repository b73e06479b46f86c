/**
 * `deno task salesflow` and `deno task demo`: runs the program from source with the permissions of the executable, see
 * program.ts. This file itself imports nothing that has to be fetched.
 */
import { runDeno } from "../lib/std/run_deno.ts";
import { EMBEDDED_PERMISSIONS, PERMISSIONS } from "./program.ts";

/** What `deno task` tells besides: the folder in which it was called, for relative paths; and what the terminal can draw. */
const TASK_PERMISSIONS = ["--allow-env=INIT_CWD,TERM"];

await runDeno("run", [
  ...PERMISSIONS,
  ...EMBEDDED_PERMISSIONS,
  ...TASK_PERMISSIONS,
  "cli/main.ts",
  ...Deno.args,
]);
