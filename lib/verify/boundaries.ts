/** The checks that need no database: what went into cleaning came out of it, and nothing else. */
import { z } from "zod";
import { SalesflowError } from "../errors.ts";
import { REASONS } from "../sale.ts";
import type { Findings } from "./checks.ts";
import type { Files } from "./files.ts";

const count = z.number().int().nonnegative();
const reasonsSchema = z.record(z.enum(REASONS), count);
const cleanFactsSchema = z.object({
  rows_in: count,
  rows_out: count,
  duplicates: count,
  rejected: count,
  rejected_by_reason: reasonsSchema,
  raw: z.string(),
  rejects: z.string(),
});
const generatedFactsSchema = z.object({
  source: z.literal("generated"),
  defects: z.object({
    rows: count,
    raw_rows: count,
    duplicates: count,
    rejected: count,
    rejected_by_reason: reasonsSchema,
  }),
});

/** Facts of the clean dataset. */
export type CleanFacts = z.infer<typeof cleanFactsSchema>;

/** `duplicates 3, malformed_row 1, …`, zeros left out. */
export function wordsOf(counts: Record<string, number>): string {
  const found = Object.entries(counts).filter(([, value]) => value > 0).sort(([a], [b]) => a < b ? -1 : 1);
  return found.map(([name, value]) => `${name} ${value}`).join(", ") || "none";
}

/** raw = clean + duplicates + rejected; for generated data also what was injected = what was found. */
export function checkFiles({ raw, clean, rejected, sum }: Files, findings: Findings): CleanFacts {
  const parsed = cleanFactsSchema.safeParse(clean.facts);
  if (!parsed.success) {
    throw new SalesflowError(`The facts in clean/manifest.json of run ${clean.run_id} cannot be understood`, {
      stage: "verify",
      runId: clean.run_id,
      remedy: "Run clean again.",
      cause: parsed.error,
    });
  }
  const facts = parsed.data;
  findings.compare("fingerprint: raw/ = the input of clean/", raw.fingerprint, facts.raw);
  findings.compare("fingerprint: rejected/ = the rejects of clean/", rejected.fingerprint, facts.rejects);
  findings.compare(
    "rows: raw/ = clean/ + duplicates + rejected/",
    raw.rows,
    sum.rows + facts.duplicates + rejected.rows,
  );
  const byReason = Object.values(facts.rejected_by_reason).reduce((total, value) => total + value, 0);
  findings.compare("rows: rejected/ = sum over reasons", rejected.rows, byReason);
  const generated = generatedFactsSchema.safeParse(raw.facts);
  if (generated.success) {
    const { defects } = generated.data;
    findings.compare("rows: generated sales = clean/", defects.rows, sum.rows);
    findings.compare(
      "rows: injected defects = found by clean",
      wordsOf({ duplicates: defects.duplicates, ...defects.rejected_by_reason }),
      wordsOf({ duplicates: facts.duplicates, ...facts.rejected_by_reason }),
    );
  } else if (raw.facts.source === "generated") {
    findings.compare("facts of generated data: readable = yes", "yes", "no");
  }
  return facts;
}
