/**
 * Stage clean: converts, validates and deduplicates `raw/` into `clean/` and `rejected/`, as specified in docs/data_contract.md.
 * Two parallel passes over byte ranges, with one index of sale_ids between them; takes about 50 bytes of memory per row.
 */
import { dateRange, type IsoDate } from "../domain/dates.ts";
import { SalesflowError } from "../console/errors.ts";
import { rawDataRemedy } from "../pipeline/records.ts";
import type { StageContext, StageResult } from "../pipeline/stage.ts";
import { type ReasonCounts, REASONS, zeroReasonCounts } from "../domain/sale.ts";
import { toPrintable } from "../console/printable.ts";
import { type OnConflict, parseOnConflict } from "../dataset/facts.ts";
import {
  checkAsOf,
  clearDataset,
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
import { collectExamples, type Example, type ValidatedRange } from "./examples.ts";
import { DuplicateIndex } from "./duplicate_index.ts";
import { type ByteRange, splitIntoRanges } from "./lines.ts";
import { dayKey } from "./rules.ts";
import { addAmountSums, type AmountSums, toRejectedAmounts, zeroAmountSums } from "./rejected_amounts.ts";
import { BLANK, CANONICAL, CONVERTED, DUPLICATE, REJECTED } from "./row_status.ts";
import type { CleanTask, CleanTaskResult, CleanWorkerData } from "./worker.ts";

/** Options of the stage clean. */
export interface CleanOptions {
  /** Maximum share of rejected rows, 0 … 1; above it, the stage fails and publishes nothing. */
  maxRejected: number;
  /** Whether to reject sales outside the year up to as-of. */
  checkDateRange: boolean;
  /** Maximum number of worker threads. */
  workers: number;
  /** Raw bytes per task, at least 1; determines how rows are divided into parts, not the rows. @default {8 MiB} */
  rangeBytes?: number;
}

/** Row counts; rowsIn = rowsOut + duplicates + rejected. */
interface Counts {
  rowsIn: number;
  rowsOut: number;
  duplicates: number;
  rejected: number;
  byReason: ReasonCounts;
}

/** What the second pass wrote. */
interface WrittenParts {
  clean: Part[];
  rejected: Part[];
  /** Amounts of the rejected rows. */
  amounts: AmountSums;
}

type CleanPool = Pool<CleanWorkerData, CleanTask, CleanTaskResult>;

/**
 * Runs the stage.
 *
 * @throws {SalesflowError} when there is no raw data, when it does not match its manifest, or when too many rows are rejected
 */
export async function clean(context: StageContext, options: CleanOptions): Promise<StageResult> {
  const { runId, asOf, store, signal } = context;
  const raw = await openDataset(store, runId, "raw", await rawDataRemedy(store, runId));
  checkAsOf([raw], { runId, asOf, stage: "clean" });
  const onConflict = parseOnConflict(raw, "clean");
  // Random per run, so that crafted ids or values cannot be made to collide.
  const hashSeed = crypto.getRandomValues(new Uint32Array(1))[0]!;
  const acceptedDates = options.checkDateRange ? dateRange(asOf) : undefined;
  const pool: CleanPool = new Pool({
    start: () => new Worker(new URL("./worker.ts", import.meta.url), { type: "module" }),
    threads: options.workers,
    workerData: {
      storeUrl: store.url,
      rawFolder: datasetFolder(runId, "raw"),
      cleanFolder: datasetFolder(runId, "clean"),
      rejectedFolder: datasetFolder(runId, "rejected"),
      dayRange: acceptedDates && { from: dayKey(acceptedDates.from), to: dayKey(acceptedDates.to) },
      hashSeed,
    },
    signal,
  });
  try {
    const ranges = await validateRanges(
      pool,
      raw,
      splitIntoRanges(raw.parts, options.rangeBytes),
      { hashSeed, onConflict },
      context,
    );
    const counts = countRows(ranges);
    verifyCounts(counts, raw, context);
    // Division rounds to the same double as the option's decimal; maxRejected * rowsIn may round differently.
    if (counts.rejected / counts.rowsIn > options.maxRejected) {
      throw tooManyRejectedError(counts, await collectExamples(context, raw, ranges), {
        ...options,
        acceptedDates,
        runId,
      });
    }
    await beginOutputs(context);
    const parts = await writeRanges(pool, ranges, counts, context);
    signal.throwIfAborted();
    const facts = await publishOutputs(context, raw, counts, parts, { acceptedDates, onConflict });
    return { rowsIn: counts.rowsIn, rowsOut: counts.rowsOut, facts };
  } finally {
    pool.close();
  }
}

/** Runs the first pass over all ranges, which are in file order, as is the result. */
async function validateRanges(
  pool: CleanPool,
  raw: Manifest,
  ranges: readonly ByteRange[],
  { hashSeed, onConflict }: { hashSeed: number; onConflict: OnConflict },
  context: StageContext,
): Promise<ValidatedRange[]> {
  const duplicateIndex = new DuplicateIndex(raw.rows, hashSeed, onConflict);
  const visited = onConflict === "first" ? ranges : ranges.toReversed();
  const validated: (ValidatedRange & { lines: number })[] = [];
  let rows = 0;
  const tasks: CleanTask[] = [
    ...visited.map((range) => ({ pass: "validate" as const, range })),
    ...raw.parts.map(({ name }) => ({ pass: "measure" as const, part: name })),
  ];
  await pool.run(tasks, (result, index) => {
    if (result.pass === "measure") verifyChecksum(result, raw.parts[index - ranges.length]!, context);
    if (result.pass !== "validate") return;
    duplicateIndex.markDuplicates(result.validated);
    const { statuses } = result.validated;
    const lines = statuses.length + result.headerLines;
    validated.push({ range: visited[index]!, statuses, linesBefore: 0, lines });
    rows += statuses.length;
    // The first pass is half of the work.
    context.progress(Math.floor(rows / 2), raw.rows);
  });
  if (onConflict === "last") validated.reverse();
  validated.forEach((current, index) => {
    const before = validated[index - 1];
    if (before && current.range.start > 0) current.linesBefore = before.linesBefore + before.lines;
  });
  return validated;
}

function verifyChecksum(
  actual: Measure,
  part: Part,
  { store, runId }: StageContext,
): void {
  if (actual.sha256 === part.sha256) return;
  const path = `${store.url}/${datasetFolder(runId, "raw")}/${part.name}`;
  throw new SalesflowError(
    `${path} was changed: it holds ${actual.bytes} bytes with SHA-256 ${shortSha256(actual.sha256)}, ` +
      `the manifest says ${part.bytes} and ${shortSha256(part.sha256)}`,
    { remedy: "Generate or ingest the run again.", stage: "clean", runId },
  );
}

function countRows(ranges: readonly ValidatedRange[]): Counts {
  const countByStatus = new Float64Array(256);
  for (const { statuses } of ranges) for (const status of statuses) countByStatus[status]!++;
  const byReason = zeroReasonCounts();
  REASONS.forEach((reason, index) => byReason[reason] = countByStatus[REJECTED + index]!);
  return {
    rowsIn: countByStatus.reduce((sum, rows) => sum + rows, 0) - countByStatus[BLANK]!,
    rowsOut: countByStatus[CANONICAL]! + countByStatus[CONVERTED]!,
    duplicates: countByStatus[DUPLICATE]!,
    rejected: REASONS.reduce((sum, reason) => sum + byReason[reason], 0),
    byReason,
  };
}

function verifyCounts(counts: Counts, raw: Manifest, { runId }: StageContext): void {
  const { rowsIn, rowsOut, duplicates, rejected } = counts;
  const details = { stage: "clean", runId };
  if (rowsIn !== raw.rows) {
    throw new SalesflowError(`raw/ of run ${runId} holds ${rowsIn} rows, its manifest says ${raw.rows}`, {
      remedy: "The raw files were changed. Generate or ingest the run again.",
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

/** Returns the error for too many rejected rows, with counts by reason and examples. */
function tooManyRejectedError(
  { rowsIn, rejected, byReason }: Counts,
  examples: readonly Example[],
  { maxRejected, acceptedDates, runId }: Pick<CleanOptions, "maxRejected"> & {
    acceptedDates: { from: IsoDate; to: IsoDate } | undefined;
    runId: string;
  },
): SalesflowError {
  const reasons = REASONS.filter((reason) => byReason[reason] > 0).map((reason) =>
    `${reason} ${byReason[reason]}`
  );
  const lines = examples.map(({ reason, file, line, raw }) =>
    `  ${reason}, ${toPrintable(file)} line ${line}: ${raw}`
  );
  const mostlyOutOfRange = acceptedDates && byReason.date_out_of_range > rejected / 2;
  const remedy = mostlyOutOfRange
    ? `Nothing was published. Only sales from ${acceptedDates.from} to ${acceptedDates.to}, the year up to as-of, are accepted. ` +
      "Accept other dates with --no-date-range, or generate or ingest the run again with another --as-of."
    : "Nothing was published. Fix the raw data, or raise --max-rejected.";
  const summary =
    `${rejected} of ${rowsIn} rows would be rejected, more than --max-rejected ${maxRejected} allows: ` +
    reasons.join(", ");
  return new SalesflowError([summary, ...lines].join("\n"), {
    stage: "clean",
    runId,
    remedy,
    evidence: { examples },
  });
}

async function beginOutputs({ store, runId }: StageContext): Promise<void> {
  await clearDataset(store, datasetFolder(runId, "clean"));
  await clearDataset(store, datasetFolder(runId, "rejected"));
}

async function writeRanges(
  pool: CleanPool,
  ranges: readonly ValidatedRange[],
  { rowsIn }: Counts,
  { progress }: StageContext,
): Promise<WrittenParts> {
  const clean: Part[] = [];
  const rejected: Part[] = [];
  const amounts = zeroAmountSums();
  let rows = 0;
  const tasks = ranges.map((validated, index): CleanTask => ({
    pass: "write",
    ...validated,
    name: partName(index),
  }));
  await pool.run(tasks, (result, index) => {
    if (result.pass !== "write") return;
    clean.push(result.clean);
    rejected.push(result.rejected);
    addAmountSums(amounts, result.amounts);
    rows += ranges[index]!.statuses.length;
    progress(Math.floor((rowsIn + rows) / 2), rowsIn);
  });
  return { clean, rejected, amounts };
}

async function publishOutputs(
  { store, runId, asOf }: StageContext,
  raw: Manifest,
  counts: Counts,
  parts: WrittenParts,
  { acceptedDates, onConflict }: {
    acceptedDates: { from: IsoDate; to: IsoDate } | undefined;
    onConflict: OnConflict;
  },
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
    rejected_amounts: toRejectedAmounts(parts.amounts),
    date_from: acceptedDates?.from ?? null,
    date_to: acceptedDates?.to ?? null,
    ...(onConflict === "last" ? { on_conflict: onConflict } : {}),
    raw: raw.fingerprint,
    rejects: fingerprint(parts.rejected),
  };
  await publishDataset(store, { ...common, dataset: "clean", facts }, parts.clean);
  return facts;
}
