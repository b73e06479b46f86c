/** Resolves relative paths of the command line. */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

const PROJECT = resolve(fileURLToPath(new URL("..", import.meta.url)));

/**
 * Returns the user's working directory. `deno task` runs commands in the project folder and sets `INIT_CWD` to the
 * directory it was called from. Elsewhere the variable is ignored, because npm, for example, sets it too.
 *
 * @param initial value of `INIT_CWD`
 * @param current working directory of the process
 */
export function callerDirectory(initial = Deno.env.get("INIT_CWD"), current = Deno.cwd()): string {
  return initial?.startsWith("/") && current === PROJECT ? initial : current;
}

/** Resolves a path of the command line against the user's working directory. */
export function resolveFromCaller(path: string): string {
  return resolve(callerDirectory(), path);
}
