/** What advisory services answer, and what comes of it. */
import Table from "cli-table3";

/** A version of a package. */
export interface PackageVersion {
  name: string;
  version: string;
}

/** A known vulnerability of an installed version. */
export interface Finding extends PackageVersion {
  advisory: string;
  /** As the service says it; `not told` when it does not. */
  severity: string;
  /** Versions without it; `none yet` when there are none. */
  fixedIn: string;
}

/** What became of asking a service. */
export interface Answer {
  /** Whose packages, such as `npm`. */
  of: string;
  /** How many versions the service gave an answer for. */
  asked: number;
  findings: Finding[];
  /** Why some or all of the versions could not be asked for, and which. */
  unasked?: string;
}

/** 0 when everything was asked and nothing is known, 1 when something is, otherwise 75. */
export function exitCodeOf(answers: readonly Answer[]): 0 | 1 | 75 {
  if (answers.some(({ findings }) => findings.length > 0)) return 1;
  return answers.length > 0 && answers.every(({ unasked, asked }) => !unasked && asked > 0) ? 0 : 75;
}

/** What is known, as a table; empty when nothing is. */
export function findingsTable(answers: readonly Answer[]): string {
  const rows = answers.flatMap(({ of, findings }) =>
    findings.map(({ name, version, advisory, severity, fixedIn }) => [
      ...[of, name, version, advisory, severity, fixedIn],
    ])
  );
  if (rows.length === 0) return "";
  const table = new Table({
    head: ["of", "package", "installed", "advisory", "severity", "fixed in"],
    style: { head: [], border: [] },
  });
  table.push(...rows.sort((a, b) => a.join().localeCompare(b.join(), "en")));
  return table.toString();
}

/** One line for each service; it speaks of nothing but what was really asked. */
export function summaryLines(answers: readonly Answer[]): string[] {
  return answers.map(({ of, asked, findings, unasked }) => {
    const known = findings.length === 0
      ? "no known vulnerability"
      : `${findings.length} known vulnerabilities`;
    const heard = asked === 0 ? [] : [`${asked} versions asked for, ${known}`];
    return `${of}: ${[...heard, ...(unasked ? [`NOT asked: ${unasked}`] : [])].join("; ")}`;
  });
}

/**
 * Splits versions into rounds in which no name occurs twice, so that an answer about a name is about one version.
 * Each version is in one round, however often it is given.
 */
export function rounds<T extends PackageVersion>(packages: readonly T[]): T[][] {
  const found: Map<string, T>[] = [];
  const seen = new Set<string>();
  for (const each of packages) {
    const id = `${each.name}@${each.version}`;
    if (seen.has(id)) continue;
    seen.add(id);
    let round = found.find((round) => !round.has(each.name));
    if (!round) found.push(round = new Map());
    round.set(each.name, each);
  }
  return found.map((round) => [...round.values()]);
}
