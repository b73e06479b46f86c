/** Results of queries to advisory services. */
import Table from "cli-table3";

/** A version of a package. */
export interface PackageVersion {
  name: string;
  version: string;
}

/** A known vulnerability of a locked version. */
export interface Finding extends PackageVersion {
  advisory: string;
  /** Severity as reported by the service; `unknown` if it reports none. */
  severity: string;
  /** Versions without the vulnerability; `none yet` if there are none. */
  fixedIn: string;
}

/** Result of auditing the packages of one ecosystem. */
export interface AuditResult {
  /** Such as `npm`. */
  ecosystem: string;
  /** Number of versions for which the service responded. */
  checked: number;
  findings: Finding[];
  /** Why some or all versions were not checked, and which. */
  unchecked?: string;
}

/** Returns 0 if everything was checked without findings, 1 if there are findings, otherwise 75. */
export function auditExitCode(results: readonly AuditResult[]): 0 | 1 | 75 {
  if (results.some(({ findings }) => findings.length > 0)) return 1;
  return results.length > 0 && results.every(({ unchecked, checked }) => !unchecked && checked > 0) ? 0 : 75;
}

/** Formats the findings as a table; empty if there are none. */
export function formatFindings(results: readonly AuditResult[]): string {
  const rows = results.flatMap(({ ecosystem, findings }) =>
    findings.map(({ name, version, advisory, severity, fixedIn }) => [
      ...[ecosystem, name, version, advisory, severity, fixedIn],
    ])
  );
  if (rows.length === 0) return "";
  const table = new Table({
    head: ["ecosystem", "package", "installed", "advisory", "severity", "fixed in"],
    style: { head: [], border: [] },
  });
  table.push(...rows.sort((a, b) => a.join().localeCompare(b.join(), "en")));
  return table.toString();
}

/** Formats one line per ecosystem. Vulnerabilities are mentioned only if versions were actually checked. */
export function formatSummary(results: readonly AuditResult[]): string[] {
  return results.map(({ ecosystem, checked, findings, unchecked }) => {
    const known = findings.length === 0
      ? "no known vulnerability"
      : `${findings.length} known vulnerabilities`;
    const result = checked === 0 ? [] : [`${checked} versions checked, ${known}`];
    return `${ecosystem}: ${[...result, ...(unchecked ? [`NOT CHECKED: ${unchecked}`] : [])].join("; ")}`;
  });
}

/**
 * Splits versions into batches in which each name occurs once, so that an advisory for a name refers to one version.
 * Duplicate versions are dropped.
 */
export function toBatches<T extends PackageVersion>(packages: readonly T[]): T[][] {
  const batches: Map<string, T>[] = [];
  const seen = new Set<string>();
  for (const each of packages) {
    const id = `${each.name}@${each.version}`;
    if (seen.has(id)) continue;
    seen.add(id);
    let batch = batches.find((batch) => !batch.has(each.name));
    if (!batch) batches.push(batch = new Map());
    batch.set(each.name, each);
  }
  return batches.map((batch) => [...batch.values()]);
}
