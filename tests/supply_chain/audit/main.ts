/**
 * `deno task audit [--osv-url URL]`: queries the advisory services of npm and PyPI for known vulnerabilities of all locked
 * versions. Exit codes: 0 all checked without findings, 1 findings, 75 some versions could not be checked. With
 * `--osv-url`, Python packages are looked up in that OSV service instead of PyPI.
 */
import { readArguments } from "../../arguments.ts";
import { readInventory } from "../inventory.ts";
import { registryRequest } from "../../../lib/embedded/engines/registry.ts";
import { auditExitCode, formatFindings, formatSummary } from "./advisories.ts";
import { auditNpm } from "./npm.ts";
import { auditPython, installPipAudit } from "./python.ts";

const { flags: { "osv-url": osvUrl } } = readArguments({
  command: "deno task audit",
  summary: "Looks up known vulnerabilities of all locked packages.",
  flags: {
    "osv-url": { placeholder: "URL", help: "asks this OSV service, not PyPI, about Python packages" },
  },
});
const { lock, engines, python } = await readInventory();
const results = [
  await auditNpm([...lock.npm.values(), ...engines], registryRequest("")),
  await auditPython(
    [python.spark, ...python.development].flat(),
    installPipAudit,
    osvUrl,
  ),
];
const table = formatFindings(results);
if (table) console.log(table);
const code = auditExitCode(results);
for (const line of formatSummary(results)) (code === 0 ? console.log : console.error)(line);
Deno.exit(code);
