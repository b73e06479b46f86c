/**
 * Looks up known vulnerabilities of npm packages in the service that `npm audit` and `deno audit` use.
 *
 * `deno audit` (2.9.6) is not sufficient: it exits with 1 both for a vulnerability and for an unreachable service, does
 * not show the installed version, and supports neither the system's certificate authorities nor credentials in `.npmrc`.
 */
import type { RegistryRequest } from "../../../lib/embedded/engines/registry.ts";
import { messageChain } from "../../../lib/console/errors.ts";
import { type AuditResult, type Finding, type PackageVersion, toBatches } from "./advisories.ts";

/** The service takes seconds for a thousand packages. */
const TIMEOUT_MS = 60_000;

interface Advisory {
  title: string;
  url: string;
  severity: string;
  vulnerable_versions: string;
}

/**
 * Returns the first fixed version of a vulnerable range. The service does not report it, but it is the end of a range
 * such as `>=2.0.0 <2.4.1`. Other ranges are returned as `outside RANGE`.
 */
export function findFixedVersion(vulnerable: string): string {
  const [, end] = /^(?:>=?\s*\S+\s+)?<\s*([^\s=|]+)$/.exec(vulnerable.trim()) ?? [];
  return end ?? `outside ${vulnerable}`;
}

function isAdvisories(value: unknown): value is Record<string, Advisory[]> {
  return typeof value === "object" && value !== null && !Array.isArray(value) &&
    Object.values(value).every(Array.isArray);
}

async function queryAdvisories(
  { url, headers }: RegistryRequest,
  packages: readonly PackageVersion[],
): Promise<Finding[]> {
  const response = await fetch(new URL("-/npm/v1/security/advisories/bulk", url), {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body: JSON.stringify(Object.fromEntries(packages.map(({ name, version }) => [name, [version]]))),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`the registry's advisory service responded with status ${response.status}`);
  }
  const advisories: unknown = await response.json().catch(() => undefined);
  if (!isAdvisories(advisories)) throw new Error("the registry's response is not a list of advisories");
  return packages.flatMap(({ name, version }) =>
    (advisories[name] ?? []).map((advisory) => ({
      name,
      version,
      advisory: `${advisory.url}\n${advisory.title}`,
      severity: advisory.severity,
      fixedIn: findFixedVersion(advisory.vulnerable_versions),
    }))
  );
}

/** Checks all packages. On an error, the remaining ones are reported as not checked. */
export async function auditNpm(
  packages: readonly PackageVersion[],
  source: RegistryRequest,
): Promise<AuditResult> {
  const result: AuditResult = { ecosystem: "npm", checked: 0, findings: [] };
  try {
    for (const batch of toBatches(packages)) {
      result.findings.push(...await queryAdvisories(source, batch));
      result.checked += batch.length;
    }
  } catch (error) {
    result.unchecked = messageChain(error).join(": ");
  }
  return result;
}
