/**
 * `deno task salesflow` and `deno task demo`: runs the program from source with the permissions of the executable. Must
 * not import anything that needs a download, because it selects where the `@std` packages come from.
 */
import { INVOCATION_VARIABLE, taskInvocation } from "../lib/console/invocation.ts";
import { runDeno } from "../lib/std/run_deno.ts";
import { EMBEDDED_PERMISSIONS, PERMISSIONS } from "./program.ts";

/** INIT_CWD, set by `deno task`, is the caller's working directory. */
const TASK_PERMISSIONS = ["--allow-env=INIT_CWD"];

// Only here the environment that shows it may be read.
Deno.env.set(INVOCATION_VARIABLE, taskInvocation());

await runDeno("run", [
  ...PERMISSIONS,
  ...EMBEDDED_PERMISSIONS,
  ...TASK_PERMISSIONS,
  "cli/main.ts",
  ...Deno.args,
]);
