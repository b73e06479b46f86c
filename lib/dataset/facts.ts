/** The facts of raw/ and clean/ that later stages build on; see docs/data_contract.md. */
import { z } from "zod";
import { SalesflowError } from "../console/errors.ts";
import { REASONS } from "../domain/sale.ts";
import type { Manifest } from "./dataset.ts";

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
  /** Of the distinct valid sales, as decimal text. Runs that were generated before there were any have none. */
  sums: z.object({ quantity: z.string(), amount: z.string() }).optional(),
  /** Of products.csv; missing in the same runs. */
  products_sha256: z.string().optional(),
});

/** Facts of the clean dataset. */
export type CleanFacts = z.infer<typeof cleanFactsSchema>;
/** Facts of a raw dataset that was generated. */
export type GeneratedFacts = z.infer<typeof generatedFactsSchema>;

/** @throws {SalesflowError} when they cannot be understood */
export function cleanFacts({ run_id, facts }: Manifest, stage: string): CleanFacts {
  const parsed = cleanFactsSchema.safeParse(facts);
  if (parsed.success) return parsed.data;
  throw new SalesflowError(`The facts in clean/manifest.json of run ${run_id} cannot be understood`, {
    stage,
    runId: run_id,
    remedy: `Run "salesflow clean --run-id ${run_id}" again.`,
    cause: parsed.error,
  });
}

/** Undefined when the data was not generated. @throws {SalesflowError} when they cannot be understood */
export function generatedFacts({ run_id, facts }: Manifest, stage: string): GeneratedFacts | undefined {
  if (facts.source !== "generated") return undefined;
  const parsed = generatedFactsSchema.safeParse(facts);
  if (parsed.success) return parsed.data;
  throw new SalesflowError(`The facts in raw/manifest.json of run ${run_id} cannot be understood`, {
    stage,
    runId: run_id,
    remedy: `Run "salesflow generate --run-id ${run_id}" again.`,
    cause: parsed.error,
  });
}
