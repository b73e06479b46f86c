/** Parses the facts in the manifests of raw/ and clean/ that later stages need. See docs/data_contract.md. */
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
  /** Rows with a valid amount and their sum, as decimal text. Missing in runs that older versions cleaned. */
  rejected_amounts: z.record(z.enum(REASONS), z.object({ rows: count, amount: z.string() })).optional(),
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
  /** Sums of the distinct valid sales, as decimal text. Missing in runs that older versions generated. */
  sums: z.object({ quantity: z.string(), amount: z.string() }).optional(),
});

/** Returns the checksum of raw/products.csv; undefined when there is none, as in runs of older versions. */
export function parseProductsSha256({ facts }: Manifest): string | undefined {
  return typeof facts.products_sha256 === "string" ? facts.products_sha256 : undefined;
}

const ingestedFactsSchema = z.object({
  source: z.literal("ingested"),
  /** The files that were read. */
  exports: z.array(z.object({ name: z.string(), bytes: count, sha256: z.string() })),
  lines: z.object({ read: count, header: count, records: count, blank: count, inside: count }),
  /** Excluded lines by rule. */
  excluded: z.record(z.string(), count),
  /** Their amounts, as far as they could be computed, as decimal text. */
  excluded_amounts: z.record(z.string(), z.string()),
});

/** Facts of an ingested raw dataset. */
export type IngestedFacts = z.infer<typeof ingestedFactsSchema>;

/**
 * Parses the facts of an ingested raw dataset; undefined when it was not ingested, or by an older version, which counted no lines.
 *
 * @param stage for the error
 * @throws {SalesflowError} when they are invalid
 */
export function parseIngestedFacts({ run_id, facts }: Manifest, stage: string): IngestedFacts | undefined {
  if (facts.source !== "ingested" || facts.lines === undefined) return undefined;
  const parsed = ingestedFactsSchema.safeParse(facts);
  if (parsed.success) return parsed.data;
  throw new SalesflowError(`Cannot parse the facts in raw/manifest.json of run ${run_id}`, {
    stage,
    runId: run_id,
    remedy: "Ingest the run again.",
    cause: parsed.error,
  });
}

const conflictFactsSchema = z.object({ on_conflict: z.enum(["first", "last"]).default("first") });

/** Facts of the clean dataset. */
export type CleanFacts = z.infer<typeof cleanFactsSchema>;
/** Facts of a generated raw dataset. */
export type GeneratedFacts = z.infer<typeof generatedFactsSchema>;
/** Which of the sales with one sale_id and different values stays: the first or the last in file order. */
export type OnConflict = z.infer<typeof conflictFactsSchema>["on_conflict"];

/**
 * Parses the facts of the clean dataset.
 *
 * @param stage for the error
 * @throws {SalesflowError} when they are invalid
 */
export function parseCleanFacts({ run_id, facts }: Manifest, stage: string): CleanFacts {
  const parsed = cleanFactsSchema.safeParse(facts);
  if (parsed.success) return parsed.data;
  throw new SalesflowError(`Cannot parse the facts in clean/manifest.json of run ${run_id}`, {
    stage,
    runId: run_id,
    remedy: `Run "salesflow clean --run-id ${run_id}" again.`,
    cause: parsed.error,
  });
}

/**
 * Parses the facts of a generated raw dataset; undefined when it was not generated.
 *
 * @param stage for the error
 * @throws {SalesflowError} when they are invalid
 */
export function parseGeneratedFacts({ run_id, facts }: Manifest, stage: string): GeneratedFacts | undefined {
  if (facts.source !== "generated") return undefined;
  const parsed = generatedFactsSchema.safeParse(facts);
  if (parsed.success) return parsed.data;
  throw new SalesflowError(`Cannot parse the facts in raw/manifest.json of run ${run_id}`, {
    stage,
    runId: run_id,
    remedy: `Run "salesflow generate --run-id ${run_id}" again.`,
    cause: parsed.error,
  });
}

/**
 * Parses which of the sales with one sale_id is to stay (of raw/) or stayed (of clean/); `first` where the facts do not say.
 *
 * @param stage for the error
 * @throws {SalesflowError} when it is neither `first` nor `last`
 */
export function parseOnConflict({ dataset, run_id, facts }: Manifest, stage: string): OnConflict {
  const parsed = conflictFactsSchema.safeParse(facts);
  if (parsed.success) return parsed.data.on_conflict;
  throw new SalesflowError(
    `on_conflict in ${dataset}/manifest.json of run ${run_id} is ${JSON.stringify(facts.on_conflict)}, ` +
      "not first or last",
    {
      stage,
      runId: run_id,
      remedy: dataset === "raw" ? "Ingest the run again." : `Run "salesflow clean --run-id ${run_id}" again.`,
      cause: parsed.error,
    },
  );
}
