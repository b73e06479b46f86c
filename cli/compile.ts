/**
 * `deno task compile`: builds the executable dist/salesflow. It does not contain the database engines, but downloads
 * them when needed.
 *
 * `--target` and `--output` are passed to deno compile; `--servers-only` omits the permissions that only embedded
 * databases need. `DENORT_BIN` is the path of Deno's runtime (denort), for networks where deno cannot download it.
 */
import { withStd } from "../lib/std/provider.ts";
import { EMBEDDED_PERMISSIONS, PERMISSIONS, WORKERS } from "./program.ts";

const SERVERS_ONLY = "--servers-only";

/** Returns the arguments of `deno compile`: permissions and modules of the program, then the user's own. */
export function compileArguments(userArgs: readonly string[]): string[] {
  const rest = userArgs.filter((arg) => arg !== SERVERS_ONLY);
  const hasOutput = rest.some((arg) => arg.startsWith("--output") || arg === "-o");
  return [
    ...PERMISSIONS,
    ...(userArgs.includes(SERVERS_ONLY) ? [] : EMBEDDED_PERMISSIONS),
    ...WORKERS.flatMap((worker) => ["--include", worker]),
    "--exclude-unused-npm",
    ...rest,
    ...(hasOutput ? [] : ["--output", "dist/salesflow"]),
    "cli/main.ts",
  ];
}

async function compile(): Promise<never> {
  const runtime = Deno.env.get("DENORT_BIN");
  if (runtime && !await Deno.stat(runtime).then(({ isFile }) => isFile, () => false)) {
    console.error(
      `error: Cannot use DENORT_BIN=${runtime}: there is no such file\n  It must be the path of Deno's runtime, denort ${Deno.version.deno}.`,
    );
    Deno.exit(2);
  }
  const command = new Deno.Command(Deno.execPath(), {
    args: ["compile", ...await withStd(Deno.args), ...compileArguments(Deno.args)],
    stderr: "piped",
  });
  const child = command.spawn();
  let errors = "";
  for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
    errors += text;
    await Deno.stderr.write(new TextEncoder().encode(text));
  }
  const { code } = await child.status;
  if (code !== 0 && /denort/.test(errors)) {
    console.error(
      `\nerror: cannot build the executable: the download of Deno's runtime (denort ${Deno.version.deno}) failed.\n` +
        "  Download it on another network and pass its path: DENORT_BIN=/path/to/denort deno task compile\n" +
        "  Running from source needs no executable: deno task salesflow --help",
    );
    Deno.exit(75);
  }
  Deno.exit(code);
}

if (import.meta.main) await compile();
