/** Which packages the program itself reaches, as opposed to those that only tests and tasks use. */
import { localImportMap, STAND_INS } from "../../../lib/std/provider.ts";
import { WORKERS } from "../../../cli/program.ts";

/** What the program's modules import. */
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
 * Asks Deno for the module graph. It is asked with the stand-ins for `@std`, which need no network, so the answer
 * is the same everywhere; each stand-in tells which package it stands for.
 *
 * @throws {Error} when a module cannot be found
 */
export async function programGraph(root: URL): Promise<ProgramGraph> {
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
