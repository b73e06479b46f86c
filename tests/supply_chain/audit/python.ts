/** Known vulnerabilities of Python packages, by pip-audit: from PyPI, or from a service that speaks OSV's language. */
import { messageChain } from "../../../lib/console/errors.ts";
import { environment, findPython } from "../../python.ts";
import { type Answer, type Finding, type PackageVersion, rounds } from "./advisories.ts";

/** Seconds for one request of pip-audit, of which there is one for each package. */
const TIMEOUT_SECONDS = 30;

/** pip-audit's report. A package that PyPI does not know has a reason instead of vulnerabilities. */
interface Report {
  dependencies: {
    name: string;
    version?: string;
    vulns?: { id: string; aliases?: string[]; fix_versions?: string[] }[];
    skip_reason?: string;
  }[];
}

/** Runs pip-audit with arguments; returns what it printed. */
export type PipAudit = (args: readonly string[]) => Promise<{ stdout: string; stderr: string }>;

/** pip-audit in an environment of its own, which is made when it is missing. Needs Python 3.10 or newer. */
export async function installPipAudit(): Promise<PipAudit> {
  const python = await findPython(["3.12", "3.13", "3.14", "3.11", "3.10"]);
  const folder = await environment(".cache/audit", ["tests/supply_chain/audit/requirements.txt"], python);
  return async (args) => {
    const { stdout, stderr } = await new Deno.Command(`${folder}/bin/pip-audit`, { args: [...args] })
      .output();
    const text = new TextDecoder();
    return { stdout: text.decode(stdout), stderr: text.decode(stderr) };
  };
}

function parse({ stdout, stderr }: { stdout: string; stderr: string }): Report {
  try {
    const report = JSON.parse(stdout);
    if (Array.isArray(report.dependencies)) return report;
  } catch {
    // It broke off; its last line tells why.
  }
  throw new Error(`pip-audit broke off: ${stderr.trim().split("\n").at(-1) || "it said nothing"}`);
}

async function ask(
  pipAudit: PipAudit,
  packages: readonly PackageVersion[],
  osvUrl: string | undefined,
): Promise<{ findings: Finding[]; skipped: string[] }> {
  const file = await Deno.makeTempFile({ suffix: ".txt" });
  try {
    await Deno.writeTextFile(file, packages.map(({ name, version }) => `${name}==${version}\n`).join(""));
    // Its exit code is 0 also when no package could be asked for, so only the report counts.
    const report = parse(
      await pipAudit([
        ...["--requirement", file, "--no-deps", "--disable-pip", "--timeout", String(TIMEOUT_SECONDS)],
        ...["--format", "json", "--desc", "off", "--aliases", "on", "--progress-spinner", "off"],
        ...["--cache-dir", ".cache/audit/http"],
        ...(osvUrl ? ["--vulnerability-service", "osv", "--osv-url", osvUrl] : []),
      ]),
    );
    const answers = new Map(report.dependencies.map((each) => [each.name, each]));
    const findings: Finding[] = [];
    const skipped: string[] = [];
    for (const { name, version } of packages) {
      const { vulns, version: answered } = answers.get(name) ?? {};
      if (!vulns || answered !== version) skipped.push(`${name} ${version}`);
      for (const { id, aliases = [], fix_versions: fixes = [] } of vulns ?? []) {
        findings.push({
          name,
          version,
          advisory: [id, ...aliases].join("\n"),
          severity: "not told",
          fixedIn: fixes.join(", ") || "none yet",
        });
      }
    }
    return { findings, skipped };
  } finally {
    await Deno.remove(file);
  }
}

/** Names at most a few of those that were left out. */
function reason(skipped: readonly string[], service: string): string {
  const named = skipped.slice(0, 3).join(", ");
  const others = skipped.length > 3 ? ` and ${skipped.length - 3} others` : "";
  return `${service} gives no answer for ${named}${others}`;
}

/**
 * Asks for all packages; an error becomes the reason why they were not asked for.
 *
 * @param install makes pip-audit ready
 * @param osvUrl where to ask instead of PyPI, such as `https://osv.example/v1/query`
 */
export async function auditPython(
  packages: readonly PackageVersion[],
  install: () => Promise<PipAudit>,
  osvUrl?: string,
): Promise<Answer> {
  const answer: Answer = { of: "Python", asked: 0, findings: [] };
  const unanswered: string[] = [];
  try {
    const pipAudit = await install();
    for (const round of rounds(packages)) {
      const { findings, skipped } = await ask(pipAudit, round, osvUrl);
      answer.findings.push(...findings);
      answer.asked += round.length - skipped.length;
      unanswered.push(...skipped);
    }
    if (unanswered.length > 0) answer.unasked = reason(unanswered, osvUrl ?? "PyPI");
  } catch (error) {
    answer.unasked = messageChain(error).join(": ");
  }
  return answer;
}
