/**
 * Clean: converts, validates and deduplicates `raw/` into `clean/` and `rejected/`, as docs/data_contract.md states. Two parallel passes
 * over byte ranges with one table of sale_ids between them; about 50 bytes of memory for each row.
 */
import { dateRange, type IsoDate } from "../domain/dates.ts";
import { SalesflowError } from "../console/errors.ts";
import { rawDataRemedy } from "../pipeline/records.ts";
import type { StageContext, StageResult } from "../pipeline/stage.ts";
import { noRejections, type ReasonCounts, REASONS } from "../domain/sale.ts";
import { printable } from "../console/printable.ts";
import {
  beginDataset,
  checkAsOf,
  datasetFolder,
  fingerprint,
  type Manifest,
  openDataset,
  type Part,
  partName,
  publishDataset,
} from "../dataset/dataset.ts";
import { type Measure, shortSha256 } from "../dataset/part_reader.ts";
import { Pool } from "../workers/pool.ts";
import { type Example, examplesOf, type ValidatedRange } from "./examples.ts";
import { DuplicateIndex } from "./duplicate_index.ts";
import { cutRanges, type Range } from "./lines.ts";
import { dayKey } from "./rules.ts";
import { BLANK, CANONICAL, CONVERTED, DUPLICATE, REJECTED } from "./row_status.ts";
import type { CleanAnswer, CleanSetUp, CleanTask } from "./worker.ts";

/** How to clean. */
export interface CleanOptions {
  /** Largest share of refused rows that is still published, 0 … 1. */
  maxRejected: number;
  /** Refuse sales outside the year up to as-of. */
  checkDateRange: boolean;
  /** Threads. */
  workers: number;
  /** Raw bytes that a thread takes at a time, at least 1; the clean parts depend on it, their rows do not. @default {8 MiB} */
  rangeBytes?: number;
}

/** What cleaning found; rowsIn = rowsOut + duplicates + rejected. */
interface Counts {
  rowsIn: number;
  rowsOut: number;
  duplicates: number;
  rejected: number;
  byReason: ReasonCounts;
}

type CleanPool = Pool<CleanSetUp, CleanTask, CleanAnswer>;

/**
 * Runs the stage.
 *
 * @throws {SalesflowError} when there is no raw data, when it is not what its manifest says, or when too much of it is refused
 */
export async function clean(context: StageContext, options: CleanOptions): Promise<StageResult> {
  const { runId, asOf, store, signal } = context;
  const raw = await openDataset(store, runId, "raw", await rawDataRemedy(store, runId));
  checkAsOf([raw], { runId, asOf, stage: "clean" });
  // Of this run alone, so that nobody can prepare ids or values that crowd.
  const hashSeed = crypto.getRandomValues(new Uint32Array(1))[0]!;
  const days = options.checkDateRange ? dateRange(asOf) : undefined;
  const pool: CleanPool = new Pool({
    start: () => new Worker(new URL("./worker.ts", import.meta.url), { type: "module" }),
    threads: options.workers,
    setUp: {
      storeUrl: store.url,
      rawFolder: datasetFolder(runId, "raw"),
      cleanFolder: datasetFolder(runId, "clean"),
      rejectedFolder: datasetFolder(runId, "rejected"),
      dayRange: days && { from: dayKey(days.from), to: dayKey(days.to) },
      hashSeed,
    },
    signal,
  });
  try {
    const duplicates = new DuplicateIndex(raw.rows, hashSeed);
    const ranges = await validate(pool, raw, cutRanges(raw.parts, options.rangeBytes), duplicates, context);
    const counts = count(ranges);
    checkCounts(counts, raw, context);
    // A quotient meets the decimal that was asked for exactly; a product may miss it.
    if (counts.rejected / counts.rowsIn > options.maxRejected) {
      throw tooMany(counts, await examplesOf(context, raw, ranges), { ...options, days, runId });
    }
    await clear(context);
    const parts = await writeRanges(pool, ranges, counts, context);
    signal.throwIfAborted();
    const facts = await publish(context, raw, counts, parts, days);
    return { rowsIn: counts.rowsIn, rowsOut: counts.rowsOut, facts };
  } finally {
    pool.close();
  }
}

async function validate(
  pool: CleanPool,
  raw: Manifest,
  ranges: readonly Range[],
  duplicates: DuplicateIndex,
  context: StageContext,
): Promise<ValidatedRange[]> {
  const validated: ValidatedRange[] = [];
  let rows = 0;
  let linesBefore = 0;
  const tasks: CleanTask[] = [
    ...ranges.map((range) => ({ pass: "validate" as const, range })),
    ...raw.parts.map(({ name }) => ({ pass: "measure" as const, part: name })),
  ];
  await pool.run(tasks, (answer, index) => {
    if (answer.pass === "measure") checkPart(answer, raw.parts[index - ranges.length]!, context);
    if (answer.pass !== "validate") return;
    duplicates.markDuplicates(answer.validated);
    const range = ranges[index]!;
    if (range.start === 0) linesBefore = 0;
    validated.push({ range, statuses: answer.validated.statuses, linesBefore });
    linesBefore += answer.validated.statuses.length + answer.headerLines;
    rows += answer.validated.statuses.length;
    // The second pass is the other half of the work.
    context.progress(Math.floor(rows / 2), raw.rows);
  });
  return validated;
}

function checkPart(
  found: Measure,
  part: Part,
  { store, runId }: StageContext,
): void {
  if (found.sha256 === part.sha256) return;
  const place = `${store.url}/${datasetFolder(runId, "raw")}/${part.name}`;
  throw new SalesflowError(
    `${place} was changed: it holds ${found.bytes} bytes with SHA-256 ${shortSha256(found.sha256)}, ` +
      `the manifest says ${part.bytes} and ${shortSha256(part.sha256)}`,
    { remedy: "Generate or ingest the run again.", stage: "clean", runId },
  );
}

function count(ranges: readonly ValidatedRange[]): Counts {
  const tally = new Float64Array(256);
  for (const { statuses } of ranges) for (const status of statuses) tally[status]!++;
  const byReason = noRejections();
  REASONS.forEach((reason, index) => byReason[reason] = tally[REJECTED + index]!);
  return {
    rowsIn: tally.reduce((sum, rows) => sum + rows, 0) - tally[BLANK]!,
    rowsOut: tally[CANONICAL]! + tally[CONVERTED]!,
    duplicates: tally[DUPLICATE]!,
    rejected: REASONS.reduce((sum, reason) => sum + byReason[reason], 0),
    byReason,
  };
}

function checkCounts(counts: Counts, raw: Manifest, { runId }: StageContext): void {
  const { rowsIn, rowsOut, duplicates, rejected } = counts;
  const details = { stage: "clean", runId };
  if (rowsIn !== raw.rows) {
    throw new SalesflowError(`raw/ of run ${runId} holds ${rowsIn} rows, its manifest says ${raw.rows}`, {
      remedy: "Somebody changed the raw files: generate or ingest them again.",
      ...details,
    });
  }
  if (rowsIn === 0) throw new SalesflowError(`raw/ of run ${runId} holds no rows`, details);
  if (rowsOut + duplicates + rejected !== rowsIn) {
    throw new SalesflowError(
      `${rowsIn} rows in, but ${rowsOut} out + ${duplicates} duplicates + ${rejected} rejected`,
      details,
    );
  }
}

/** The refusal of a run with too many refused rows; it shows some, so that nobody needs to guess. */
function tooMany(
  { rowsIn, rejected, byReason }: Counts,
  examples: readonly Example[],
  { maxRejected, days, runId }: Pick<CleanOptions, "maxRejected"> & {
    days: { from: IsoDate; to: IsoDate } | undefined;
    runId: string;
  },
): SalesflowError {
  const reasons = REASONS.filter((reason) => byReason[reason] > 0).map((reason) =>
    `${reason} ${byReason[reason]}`
  );
  const lines = examples.map(({ reason, file, line, raw }) =>
    `  ${reason}, ${printable(file)} line ${line}: ${raw}`
  );
  const mostlyDates = days && byReason.date_out_of_range > rejected / 2;
  const remedy = mostlyDates
    ? `Nothing was published. Sales from ${days.from} to ${days.to} are accepted, the year up to as-of: accept others ` +
      "with --no-date-range, or generate or ingest the run again with another --as-of."
    : "Nothing was published. Mend the raw data, or allow more with --max-rejected.";
  const first =
    `${rejected} of ${rowsIn} rows would be rejected, more than --max-rejected ${maxRejected} allows: ` +
    reasons.join(", ");
  return new SalesflowError([first, ...lines].join("\n"), {
    stage: "clean",
    runId,
    remedy,
    evidence: { examples },
  });
}

async function clear({ store, runId }: StageContext): Promise<void> {
  await beginDataset(store, datasetFolder(runId, "clean"));
  await beginDataset(store, datasetFolder(runId, "rejected"));
}

async function writeRanges(
  pool: CleanPool,
  ranges: readonly ValidatedRange[],
  { rowsIn }: Counts,
  { progress }: StageContext,
): Promise<{ clean: Part[]; rejected: Part[] }> {
  const clean: Part[] = [];
  const rejected: Part[] = [];
  let rows = 0;
  const tasks = ranges.map((validated, index): CleanTask => ({
    pass: "write",
    ...validated,
    name: partName(index),
  }));
  await pool.run(tasks, (answer, index) => {
    if (answer.pass !== "write") return;
    clean.push(answer.clean);
    rejected.push(answer.rejected);
    rows += ranges[index]!.statuses.length;
    progress(Math.floor((rowsIn + rows) / 2), rowsIn);
  });
  return { clean, rejected };
}

async function publish(
  { store, runId, asOf }: StageContext,
  raw: Manifest,
  counts: Counts,
  parts: { clean: Part[]; rejected: Part[] },
  days: { from: IsoDate; to: IsoDate } | undefined,
): Promise<Record<string, unknown>> {
  const common = { runId, asOf, engine: "native" as const };
  await publishDataset(
    store,
    { ...common, dataset: "rejected", facts: { raw: raw.fingerprint } },
    parts.rejected,
  );
  const facts = {
    rows_in: counts.rowsIn,
    rows_out: counts.rowsOut,
    duplicates: counts.duplicates,
    rejected: counts.rejected,
    rejected_by_reason: counts.byReason,
    date_from: days?.from ?? null,
    date_to: days?.to ?? null,
    raw: raw.fingerprint,
    rejects: fingerprint(parts.rejected),
  };
  await publishDataset(store, { ...common, dataset: "clean", facts }, parts.clean);
  return facts;
}
