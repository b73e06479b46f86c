/**
 * `deno task audit [--osv-url URL]`: asks the advisory services of npm and PyPI for known vulnerabilities of all locked
 * versions. Ends with 0 when everything was asked for and nothing is known, 1 when something is, 75 when something could
 * not be asked for. With `--osv-url`, Python packages are asked for there instead.
 */
import { parseArgs } from "@std/cli/parse-args";
import { readInventory } from "../inventory.ts";
import { registryOf } from "../../../lib/embedded/engines/registry.ts";
import { exitCodeOf, findingsTable, summaryLines } from "./advisories.ts";
import { auditNpm } from "./npm.ts";
import { auditPython, installPipAudit } from "./python.ts";

const { "osv-url": osvUrl } = parseArgs(Deno.args, { string: ["osv-url"] });
const { lock, engines, python } = await readInventory();
const answers = [
  await auditNpm([...lock.npm.values(), ...engines], registryOf("")),
  await auditPython(
    [python.airflow, python.spark, ...python.development].flat(),
    installPipAudit,
    typeof osvUrl === "string" && osvUrl ? osvUrl : undefined,
  ),
];
const table = findingsTable(answers);
if (table) console.log(table);
const code = exitCodeOf(answers);
for (const line of summaryLines(answers)) (code === 0 ? console.log : console.error)(line);
Deno.exit(code);
