/**
 * `deno doc --lint` for everything that cli/ and lib/ export: each export is documented and has an explicit type.
 * Types of packages count as private there, because their modules are not part of what is linted; those findings are left out.
 */
import { localImportMap } from "../lib/std/provider.ts";

const FOLDERS = ["cli", "lib"];
const FINDING = /^error\[(?<code>[a-z-]+)\]/;

/** Paths of the TypeScript modules below a folder. */
function* modulesBelow(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) yield* modulesBelow(path);
    else if (name.endsWith(".ts") && !name.endsWith(".d.ts")) yield path;
  }
}

/** Findings of the linter's output, each with its lines, but for references to types of packages. */
export function countedFindings(output: string): string[] {
  return output.split(/\n\n+/).filter((finding) => {
    const code = FINDING.exec(finding)?.groups?.code;
    return code !== undefined && code !== "private-type-ref";
  });
}

if (import.meta.main) {
  Deno.chdir(new URL("..", import.meta.url));
  const map = await Deno.makeTempFile({ suffix: ".json" });
  await Deno.writeTextFile(map, await localImportMap());
  const { stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--lint", `--import-map=${map}`, ...FOLDERS.flatMap((folder) => [...modulesBelow(folder)])],
    env: { NO_COLOR: "1" },
    stdout: "null",
    stderr: "piped",
  }).output();
  await Deno.remove(map);
  const output = new TextDecoder().decode(stderr);
  const findings = countedFindings(output);
  if (findings.length > 0) console.error(findings.join("\n\n"));
  console.log(`doc lint: ${findings.length} findings`);
  Deno.exit(findings.length > 0 ? 1 : 0);
}
