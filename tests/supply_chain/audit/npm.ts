/**
 * Known vulnerabilities of npm packages, from the service that `npm audit` and `deno audit` ask.
 *
 * `deno audit` itself (2.9.6) does not do here: it ends with 1 for a vulnerability and for a service that cannot be
 * reached alike, does not tell the installed version, and knows neither certificate authorities of the machine nor
 * credentials of `.npmrc`.
 */
import type { Source } from "../../../lib/embedded/engines/registry.ts";
import { messageChain } from "../../../lib/console/errors.ts";
import { type Answer, type Finding, type PackageVersion, rounds } from "./advisories.ts";

/** The service answers for a thousand packages within seconds. */
const TIMEOUT_MS = 60_000;

interface Advisory {
  title: string;
  url: string;
  severity: string;
  vulnerable_versions: string;
}

/**
 * The first version after a range of vulnerable ones. The service does not name it, and the end of a range such as
 * `>=2.0.0 <2.4.1` does; other ranges are given as they are.
 */
export function fixedIn(vulnerable: string): string {
  const [, end] = /^(?:>=?\s*\S+\s+)?<\s*([^\s=|]+)$/.exec(vulnerable.trim()) ?? [];
  return end ?? `outside ${vulnerable}`;
}

function isAdvisories(value: unknown): value is Record<string, Advisory[]> {
  return typeof value === "object" && value !== null && !Array.isArray(value) &&
    Object.values(value).every(Array.isArray);
}

async function ask({ url, headers }: Source, packages: readonly PackageVersion[]): Promise<Finding[]> {
  const response = await fetch(new URL("-/npm/v1/security/advisories/bulk", url), {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body: JSON.stringify(Object.fromEntries(packages.map(({ name, version }) => [name, [version]]))),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`the registry's advisory service answers with status ${response.status}`);
  }
  const advisories: unknown = await response.json().catch(() => undefined);
  if (!isAdvisories(advisories)) throw new Error("the registry's answer is not a list of advisories");
  return packages.flatMap(({ name, version }) =>
    (advisories[name] ?? []).map((advisory) => ({
      name,
      version,
      advisory: `${advisory.url}\n${advisory.title}`,
      severity: advisory.severity,
      fixedIn: fixedIn(advisory.vulnerable_versions),
    }))
  );
}

/** Asks for all packages; an error becomes the reason why they were not asked for. */
export async function auditNpm(packages: readonly PackageVersion[], source: Source): Promise<Answer> {
  const answer: Answer = { of: "npm", asked: 0, findings: [] };
  try {
    for (const round of rounds(packages)) {
      answer.findings.push(...await ask(source, round));
      answer.asked += round.length;
    }
  } catch (error) {
    answer.unasked = messageChain(error).join(": ");
  }
  return answer;
}
