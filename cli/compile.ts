/**
 * `deno task compile`: makes dist/salesflow, one executable without the database engines (it fetches those when it needs them).
 *
 * `--target` and `--output` are passed on to deno compile; `--servers-only` leaves out the permissions that only embedded databases need.
 * `DENORT_BIN` names a local copy of Deno's runtime file, for networks where deno cannot download it.
 */
import { withStd } from "../lib/std/provider.ts";
import { EMBEDDED_PERMISSIONS, PERMISSIONS, WORKERS } from "./program.ts";

const SERVERS_ONLY = "--servers-only";

/** Arguments of `deno compile`: what the program consists of and may do, then what a person asked for. */
export function compileArguments(given: readonly string[]): string[] {
  const rest = given.filter((arg) => arg !== SERVERS_ONLY);
  const named = rest.some((arg) => arg.startsWith("--output") || arg === "-o");
  return [
    ...PERMISSIONS,
    ...(given.includes(SERVERS_ONLY) ? [] : EMBEDDED_PERMISSIONS),
    ...WORKERS.flatMap((worker) => ["--include", worker]),
    "--exclude-unused-npm",
    ...rest,
    ...(named ? [] : ["--output", "dist/salesflow"]),
    "cli/main.ts",
  ];
}

async function compile(): Promise<never> {
  const runtime = Deno.env.get("DENORT_BIN");
  if (runtime && !await Deno.stat(runtime).then(({ isFile }) => isFile, () => false)) {
    console.error(
      `error: Cannot use DENORT_BIN=${runtime}: there is no such file\n  It names Deno's runtime file, denort ${Deno.version.deno}.`,
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
      `\nerror: Deno's runtime file (denort ${Deno.version.deno}) could not be downloaded, so there is no executable.\n` +
        "  Download it where the network is open and name it: DENORT_BIN=/path/to/denort deno task compile\n" +
        "  Everything works from source meanwhile: deno task salesflow --help",
    );
    Deno.exit(75);
  }
  Deno.exit(code);
}

if (import.meta.main) await compile();
