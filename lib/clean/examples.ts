/** A few of the rows that cleaning refuses, for people who have to find out why. */
import type { StageContext } from "../pipeline/stage.ts";
import { type Reason, REASONS } from "../domain/sale.ts";
import { printable } from "../console/printable.ts";
import { datasetFolder, type Manifest, originOf } from "../dataset/dataset.ts";
import { lineText } from "./validate.ts";
import { forEachLine, type Range, readLines } from "./lines.ts";
import { LONGEST_LINE_BYTES } from "./rules.ts";
import { REJECTED } from "./row_status.ts";

/** Rows of each reason that are named: one may be an exception, two begin to be a rule. */
const EXAMPLES = 2;

/** One refused row. */
export interface Example {
  reason: Reason;
  /** The export, or the raw part where there is none. */
  file: string;
  line: number;
  /** Its text, cut and with control characters escaped. */
  raw: string;
}

/** A range whose lines were validated. */
export interface ValidatedRange {
  range: Range;
  statuses: Uint8Array<ArrayBuffer>;
  /** Lines of the raw part before this range's. */
  linesBefore: number;
}

/** The first refused rows of each reason, in the order of the reasons. */
export async function examplesOf(
  { store, runId }: StageContext,
  raw: Manifest,
  ranges: readonly ValidatedRange[],
): Promise<Example[]> {
  const found = REASONS.map((): Example[] => []);
  const wants = (status: number) => status >= REJECTED && found[status - REJECTED]!.length < EXAMPLES;
  for (const { range, statuses, linesBefore } of ranges) {
    // Nearly always the first range has all of them, and no other is read again.
    if (!statuses.some(wants)) continue;
    const { bytes, headerLines } = await readLines(store, datasetFolder(runId, "raw"), range);
    let index = 0;
    forEachLine(bytes, (start, end) => {
      const status = statuses[index++]!;
      if (!wants(status)) return;
      found[status - REJECTED]!.push({
        reason: REASONS[status - REJECTED]!,
        file: originOf(raw, range.part),
        line: linesBefore + headerLines + index,
        raw: printable(lineText(bytes, start, Math.min(end, start + LONGEST_LINE_BYTES))),
      });
    });
  }
  return found.flat();
}
