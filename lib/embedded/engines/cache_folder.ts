/** The cache for downloaded engines: one per user, shared by all clones and homes. */
import { join } from "node:path";
import { SalesflowError } from "../../console/errors.ts";

/**
 * Returns the cache folder: `SALESFLOW_CACHE`, or else `salesflow` in `$XDG_CACHE_HOME`, or else in `~/.cache`.
 *
 * @param env reads an environment variable
 * @throws {SalesflowError} when none of the three is set, or the one used is not an absolute path
 */
export function cacheFolder(env: (name: string) => string | undefined = Deno.env.get): string {
  const sources: [name: string, folder: (value: string) => string][] = [
    ["SALESFLOW_CACHE", (value) => value],
    ["XDG_CACHE_HOME", (value) => join(value, "salesflow")],
    ["HOME", (value) => join(value, ".cache", "salesflow")],
  ];
  for (const [name, folder] of sources) {
    const value = env(name);
    if (!value) continue;
    if (value.startsWith("/")) return folder(value);
    throw new SalesflowError(`Cannot use ${name} for the cache: ${value} is not an absolute path`, {
      exitCode: 2,
      remedy: `Set ${name} to an absolute path.`,
    });
  }
  throw new SalesflowError("Cannot find a cache folder for the database engines: HOME is not set", {
    exitCode: 2,
    remedy: "Set SALESFLOW_CACHE to an absolute path with 1 GB of free space.",
  });
}
