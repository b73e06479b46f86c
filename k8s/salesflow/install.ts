/**
 * `deno run -A install.ts FOLDER`: image build step of the target `source`. Downloads the program's modules into DENO_DIR
 * and writes FOLDER/salesflow, a wrapper that runs it offline with the deno in the same folder.
 */
import { PERMISSIONS, WORKERS } from "../../cli/program.ts";
import { withStd } from "../../lib/std/provider.ts";

/** Quotes a word for the shell. */
function quote(text: string): string {
  return /^[\w./:=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

const [folder] = Deno.args;
if (!folder) {
  console.error("usage: deno run -A install.ts FOLDER");
  Deno.exit(2);
}
const root = new URL("../../", import.meta.url).pathname;

const modules = await withStd();

const { code } = await new Deno.Command(Deno.execPath(), {
  args: ["cache", ...modules, "cli/main.ts", ...WORKERS],
  cwd: root,
}).spawn().status;
if (code !== 0) Deno.exit(code);

// The program may run under any user id and on a read-only root file system.
const runArguments = ["run", "--cached-only", "--no-code-cache", ...modules, ...PERMISSIONS];
const settings = { DENO_DIR: Deno.env.get("DENO_DIR"), DENO_NO_UPDATE_CHECK: "1" };
// Modules are cached by URL, so the registries must be the same as during the download.
const registries = {
  NPM_CONFIG_REGISTRY: Deno.env.get("NPM_CONFIG_REGISTRY"),
  JSR_URL: Deno.env.get("JSR_URL"),
};
const exportLines = Object.entries({ ...settings, ...registries })
  .flatMap(([name, value]) => value ? [`export ${name}=${quote(value)}`] : []);

await Deno.mkdir(folder, { recursive: true });
await Deno.writeTextFile(
  `${folder}/salesflow`,
  `#!/bin/sh
${exportLines.join("\n")}
exec "$(dirname "$0")/deno" ${[...runArguments, `${root}cli/main.ts`].map(quote).join(" ")} "$@"
`,
  { mode: 0o755 },
);
