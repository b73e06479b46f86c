/**
 * `deno task compile`: makes dist/salesflow, one executable without the database engines (it fetches those when it needs them).
 *
 * `--target` and `--output` are passed on to deno compile; `--servers-only` leaves out the permissions that only embedded databases need.
 * `DENORT_BIN` names a local copy of Deno's runtime file, for networks where deno cannot download it.
 */
import { withStd } from "../lib/std/provider.ts";
import { EMBEDDED_PERMISSIONS, PERMISSIONS, WORKERS } from "./program.ts";

const runtime = Deno.env.get("DENORT_BIN");
if (runtime && !await Deno.stat(runtime).then(({ isFile }) => isFile, () => false)) {
  console.error(
    `error: Cannot use DENORT_BIN=${runtime}: there is no such file\n  It names Deno's runtime file, denort ${Deno.version.deno}.`,
  );
  Deno.exit(2);
}

const serversOnly = Deno.args.includes("--servers-only");
const rest = Deno.args.filter((arg) => arg !== "--servers-only");
if (!rest.some((arg) => arg.startsWith("--output") || arg === "-o")) rest.push("--output", "dist/salesflow");

const command = new Deno.Command(Deno.execPath(), {
  args: [
    "compile",
    ...await withStd(),
    ...PERMISSIONS,
    ...(serversOnly ? [] : EMBEDDED_PERMISSIONS),
    ...WORKERS.flatMap((worker) => ["--include", worker]),
    "--exclude-unused-npm",
    ...rest,
    "cli/main.ts",
  ],
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
