/** Finds the packages that the program itself imports, as opposed to those that only tests and tasks use. */
import { localImportMap, STAND_INS } from "../../../lib/std/provider.ts";
import { WORKERS } from "../../../cli/program.ts";

/** Packages imported by the program. */
export interface ProgramGraph {
  /** Ids of npm packages in deno.lock. */
  npm: string[];
  /** Names of `@std` packages. */
  std: string[];
}

interface Info {
  modules: { kind?: string; specifier: string; npmPackage?: string; error?: string }[];
}

/**
 * Reads the module graph from `deno info`. Uses the stand-ins for `@std`, which need no network, so the result is the
 * same everywhere; each stand-in maps to the package it replaces.
 *
 * @throws {Error} when a module cannot be found
 */
export async function readProgramGraph(root: URL): Promise<ProgramGraph> {
  const map = `--import-map=data:application/json,${encodeURIComponent(await localImportMap())}`;
  const npm = new Set<string>();
  const std = new Set<string>();
  for (const entry of ["cli/main.ts", ...WORKERS]) {
    const { success, stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", map, entry],
      cwd: root,
      stderr: "inherit",
    }).output();
    if (!success) throw new Error(`Cannot list the modules of ${entry}`);
    const { modules }: Info = JSON.parse(new TextDecoder().decode(stdout));
    for (const { specifier, npmPackage, error } of modules) {
      if (error) throw new Error(`Cannot list the modules of ${entry}: ${error}`);
      if (npmPackage) npm.add(npmPackage);
      for (const [name, path] of Object.entries(STAND_INS)) {
        if (specifier === new URL(path, root).href) std.add(name.split("/").slice(0, 2).join("/"));
      }
    }
  }
  return { npm: [...npm].sort(), std: [...std].sort() };
}
