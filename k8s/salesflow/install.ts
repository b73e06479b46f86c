/**
 * `deno run -A install.ts FOLDER`: part of the image build, target `source`. Fills DENO_DIR with the modules of the
 * program and writes FOLDER/salesflow, which starts it with the deno beside it and asks the network for no module.
 */
import { PERMISSIONS, WORKERS } from "../../cli/program.ts";
import { withStd } from "../../lib/std/provider.ts";

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

// Who starts the program may have any user id and a root file system that cannot be written.
const start = ["run", "--cached-only", "--no-code-cache", ...modules, ...PERMISSIONS];
const settings = { DENO_DIR: Deno.env.get("DENO_DIR"), DENO_NO_UPDATE_CHECK: "1" };
// Modules are kept under the address that they came from.
const addresses = {
  NPM_CONFIG_REGISTRY: Deno.env.get("NPM_CONFIG_REGISTRY"),
  JSR_URL: Deno.env.get("JSR_URL"),
};
const exports = Object.entries({ ...settings, ...addresses })
  .flatMap(([name, value]) => value ? [`export ${name}=${quote(value)}`] : []);

await Deno.mkdir(folder, { recursive: true });
await Deno.writeTextFile(
  `${folder}/salesflow`,
  `#!/bin/sh
${exports.join("\n")}
exec "$(dirname "$0")/deno" ${[...start, `${root}cli/main.ts`].map(quote).join(" ")} "$@"
`,
  { mode: 0o755 },
);
