/** Examples of rejected rows for error messages. */
import type { StageContext } from "../pipeline/stage.ts";
import { type Reason, REASONS } from "../domain/sale.ts";
import { toPrintable } from "../console/printable.ts";
import { datasetFolder, type Manifest, sourceLine } from "../dataset/dataset.ts";
import { decodeLine } from "./validate.ts";
import { type ByteRange, forEachLine, readLines } from "./lines.ts";
import { MAX_LINE_BYTES } from "./rules.ts";
import { REJECTED } from "./row_status.ts";

/** Two per reason: one could be an outlier. */
const EXAMPLES_PER_REASON = 2;

/** One rejected row. */
export interface Example {
  /** First rule that the row breaks. */
  reason: Reason;
  /** Name of the ingested file, or of the raw part of a generated run. */
  file: string;
  /** Line number in that file, counted from 1. */
  line: number;
  /** The line, truncated, with control characters escaped. */
  raw: string;
}

/** A range after the first pass. */
export interface ValidatedRange {
  /** Range of the raw part. */
  range: ByteRange;
  /** One of row_status.ts for each line. */
  statuses: Uint8Array<ArrayBuffer>;
  /** Lines of the raw part before this range. */
  linesBefore: number;
}

/** Collects the first rejected rows of each reason, in the order of REASONS. */
export async function collectExamples(
  { store, runId }: StageContext,
  raw: Manifest,
  ranges: readonly ValidatedRange[],
): Promise<Example[]> {
  const examples = REASONS.map((): Example[] => []);
  const isWanted = (status: number) =>
    status >= REJECTED && examples[status - REJECTED]!.length < EXAMPLES_PER_REASON;
  for (const { range, statuses, linesBefore } of ranges) {
    // The first range usually has all of them, so that no other is read again.
    if (!statuses.some(isWanted)) continue;
    const { bytes, headerLines } = await readLines(store, datasetFolder(runId, "raw"), range);
    let line = 0;
    forEachLine(bytes, (start, end) => {
      const status = statuses[line++]!;
      if (!isWanted(status)) return;
      examples[status - REJECTED]!.push({
        reason: REASONS[status - REJECTED]!,
        ...sourceLine(raw, range.part, linesBefore + headerLines + line),
        raw: toPrintable(decodeLine(bytes, start, Math.min(end, start + MAX_LINE_BYTES))),
      });
    });
  }
  return examples.flat();
}
