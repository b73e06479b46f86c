/** Relative paths of the command line. */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

const PROJECT = resolve(fileURLToPath(new URL("..", import.meta.url)));

/**
 * The folder in which the person stands. `deno task` runs its commands in the project's folder and tells in `INIT_CWD`
 * where it was called; anywhere else that variable is somebody else's, such as npm's.
 *
 * @param called what `INIT_CWD` says
 * @param current the process's own folder
 */
export function here(called = Deno.env.get("INIT_CWD"), current = Deno.cwd()): string {
  return called?.startsWith("/") && current === PROJECT ? called : current;
}

/** The absolute path of one that was typed. */
export function resolveFromCaller(path: string): string {
  return resolve(here(), path);
}
