/** Looks up known vulnerabilities of Python packages with pip-audit, in PyPI or an OSV service. */
import { messageChain } from "../../../lib/console/errors.ts";
import { ensureVenv, findPython } from "../../python.ts";
import { type AuditResult, type Finding, type PackageVersion, toBatches } from "./advisories.ts";

/** Timeout of each request of pip-audit, which sends one per package. */
const TIMEOUT_SECONDS = 30;

/** pip-audit's report. A package unknown to PyPI has a skip reason instead of vulnerabilities. */
interface PipAuditReport {
  dependencies: {
    name: string;
    version?: string;
    vulns?: { id: string; aliases?: string[]; fix_versions?: string[] }[];
    skip_reason?: string;
  }[];
}

/** Runs pip-audit with the arguments and returns its output. */
export type PipAudit = (args: readonly string[]) => Promise<{ stdout: string; stderr: string }>;

/** Installs pip-audit into a virtual environment, unless it exists. Needs Python 3.10 or newer. */
export async function installPipAudit(): Promise<PipAudit> {
  const python = await findPython(["3.12", "3.13", "3.14", "3.11", "3.10"]);
  const folder = await ensureVenv(".cache/audit", ["tests/supply_chain/audit/requirements.txt"], python);
  return async (args) => {
    const { stdout, stderr } = await new Deno.Command(`${folder}/bin/pip-audit`, { args: [...args] })
      .output();
    const text = new TextDecoder();
    return { stdout: text.decode(stdout), stderr: text.decode(stderr) };
  };
}

function parseReport({ stdout, stderr }: { stdout: string; stderr: string }): PipAuditReport {
  try {
    const report = JSON.parse(stdout);
    if (Array.isArray(report.dependencies)) return report;
  } catch {
    // pip-audit failed; the last line of stderr is the reason.
  }
  throw new Error(`pip-audit failed: ${stderr.trim().split("\n").at(-1) || "no output"}`);
}

async function queryBatch(
  pipAudit: PipAudit,
  packages: readonly PackageVersion[],
  osvUrl: string | undefined,
): Promise<{ findings: Finding[]; skipped: string[] }> {
  const file = await Deno.makeTempFile({ suffix: ".txt" });
  try {
    await Deno.writeTextFile(file, packages.map(({ name, version }) => `${name}==${version}\n`).join(""));
    // The exit code is 0 even if no package could be checked, so only the report counts.
    const report = parseReport(
      await pipAudit([
        ...["--requirement", file, "--no-deps", "--disable-pip", "--timeout", String(TIMEOUT_SECONDS)],
        ...["--format", "json", "--desc", "off", "--aliases", "on", "--progress-spinner", "off"],
        ...["--cache-dir", ".cache/audit/http"],
        ...(osvUrl ? ["--vulnerability-service", "osv", "--osv-url", osvUrl] : []),
      ]),
    );
    const byName = new Map(report.dependencies.map((each) => [each.name, each]));
    const findings: Finding[] = [];
    const skipped: string[] = [];
    for (const { name, version } of packages) {
      const { vulns, version: checked } = byName.get(name) ?? {};
      if (!vulns || checked !== version) skipped.push(`${name} ${version}`);
      for (const { id, aliases = [], fix_versions: fixes = [] } of vulns ?? []) {
        findings.push({
          name,
          version,
          advisory: [id, ...aliases].join("\n"),
          severity: "unknown",
          fixedIn: fixes.join(", ") || "none yet",
        });
      }
    }
    return { findings, skipped };
  } finally {
    await Deno.remove(file);
  }
}

/** Formats why packages were not checked, with the names of the first three. */
function formatSkipped(skipped: readonly string[], service: string): string {
  const named = skipped.slice(0, 3).join(", ");
  const others = skipped.length > 3 ? ` and ${skipped.length - 3} others` : "";
  return `${service} has no data on ${named}${others}`;
}

/**
 * Checks all packages. On an error, the remaining ones are reported as not checked.
 *
 * @param install installs pip-audit
 * @param osvUrl OSV service to use instead of PyPI, such as `https://osv.example/v1/query`
 */
export async function auditPython(
  packages: readonly PackageVersion[],
  install: () => Promise<PipAudit>,
  osvUrl?: string,
): Promise<AuditResult> {
  const result: AuditResult = { ecosystem: "Python", checked: 0, findings: [] };
  const skippedPackages: string[] = [];
  try {
    const pipAudit = await install();
    for (const batch of toBatches(packages)) {
      const { findings, skipped } = await queryBatch(pipAudit, batch, osvUrl);
      result.findings.push(...findings);
      result.checked += batch.length - skipped.length;
      skippedPackages.push(...skipped);
    }
    if (skippedPackages.length > 0) result.unchecked = formatSkipped(skippedPackages, osvUrl ?? "PyPI");
  } catch (error) {
    result.unchecked = messageChain(error).join(": ");
  }
  return result;
}
