/** The checks that need no database: what went into cleaning came out of it, and nothing else. */
import { fromCents } from "../domain/money.ts";
import type { StageContext } from "../pipeline/stage.ts";
import { type CleanFacts, cleanFacts, type GeneratedFacts, generatedFacts } from "../dataset/facts.ts";
import type { Findings } from "./checks.ts";
import type { Files } from "./files.ts";
import type { SalesSum } from "./sales_sum.ts";

/** `duplicates 3, malformed_row 1, …`, zeros left out. */
export function formatCounts(counts: Record<string, number>): string {
  const found = Object.entries(counts).filter(([, value]) => value > 0).sort(([a], [b]) => a < b ? -1 : 1);
  return found.map(([name, value]) => `${name} ${value}`).join(", ") || "none";
}

/** raw = clean + duplicates + rejected; for generated data also what was injected = what was found. */
export function checkFiles(
  { raw, clean, rejected, sum }: Files,
  { asOf }: Pick<StageContext, "asOf">,
  findings: Findings,
): CleanFacts {
  const facts = cleanFacts(clean, "verify");
  for (const { dataset, as_of } of [raw, clean, rejected]) {
    findings.compare(`as of: the run = ${dataset}/manifest.json`, asOf, as_of);
  }
  findings.compare("fingerprint: raw/ = the input of clean/", raw.fingerprint, facts.raw);
  findings.compare("fingerprint: rejected/ = the rejects of clean/", rejected.fingerprint, facts.rejects);
  findings.compare(
    "rows: raw/ = clean/ + duplicates + rejected/",
    raw.rows,
    sum.rows + facts.duplicates + rejected.rows,
  );
  const byReason = Object.values(facts.rejected_by_reason).reduce((total, value) => total + value, 0);
  findings.compare("rows: rejected/ = sum over reasons", rejected.rows, byReason);
  const generated = generatedFacts(raw, "verify");
  if (generated) checkGenerated(generated, facts, sum, findings);
  return facts;
}

/** What the generator knows beforehand: the sales that must come out of cleaning, and what it has to find. */
function checkGenerated(
  { defects, sums }: GeneratedFacts,
  facts: CleanFacts,
  sum: SalesSum,
  findings: Findings,
): void {
  findings.compare("rows: generated sales = clean/", defects.rows, sum.rows);
  if (sums) {
    findings.compare("quantity: generated sales = clean/", sums.quantity, sum.quantity);
    findings.compare("sale_amount: generated sales = clean/", sums.amount, fromCents(sum.cents));
  }
  findings.compare(
    "rows: injected defects = found by clean",
    formatCounts({ duplicates: defects.duplicates, ...defects.rejected_by_reason }),
    formatCounts({ duplicates: facts.duplicates, ...facts.rejected_by_reason }),
  );
}
