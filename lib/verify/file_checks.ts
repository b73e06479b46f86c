/** Checks that need no database: every row that went into clean came out of it, and no other did. */
import { fromCents } from "../domain/money.ts";
import type { StageContext } from "../pipeline/stage.ts";
import {
  type CleanFacts,
  type GeneratedFacts,
  type IngestedFacts,
  parseCleanFacts,
  parseGeneratedFacts,
  parseIngestedFacts,
} from "../dataset/facts.ts";
import type { Findings } from "./checks.ts";
import type { MeasuredFiles } from "./measure_files.ts";
import type { SalesSum } from "./sales_sum.ts";

/** Formats counts by name, such as `duplicates 3, malformed_row 1`; omits zeros. */
export function formatCounts(counts: Record<string, number>): string {
  const nonZero = Object.entries(counts).filter(([, value]) => value > 0).sort(([a], [b]) => a < b ? -1 : 1);
  return nonZero.map(([name, value]) => `${name} ${value}`).join(", ") || "none";
}

/**
 * Checks that raw = clean + duplicates + rejected, and for generated data that the injected defects were found.
 *
 * @returns the facts of clean/
 */
export function checkFiles(
  { raw, clean, rejected, sum }: MeasuredFiles,
  { asOf }: Pick<StageContext, "asOf">,
  findings: Findings,
): CleanFacts {
  const facts = parseCleanFacts(clean, "verify");
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
  const ingested = parseIngestedFacts(raw, "verify");
  if (ingested) checkIngested(ingested, raw.rows, findings);
  const generated = parseGeneratedFacts(raw, "verify");
  if (generated) checkGenerated(generated, facts, sum, findings);
  return facts;
}

/** Checks that every line of the exports was a header, blank, part of a record, excluded, or became a row. */
function checkIngested({ lines, excluded }: IngestedFacts, rows: number, findings: Findings): void {
  const { read, header, records, blank, inside } = lines;
  findings.compare(
    "lines: read = header + records + blank + inside",
    read,
    header + records + blank + inside,
  );
  const left = Object.values(excluded).reduce((total, value) => total + value, 0);
  findings.compare("rows: records of exports = raw/ + excluded", records, rows + left);
}

/** Compares clean/ with what the generator recorded: the sums of valid sales and the counts of injected defects. */
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
