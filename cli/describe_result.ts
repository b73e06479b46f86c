/** Words for the log line of a finished stage. */
import type { StageResult } from "../lib/pipeline/stage.ts";

/** Describes a finished stage: what it did, its time, and its speed if it is about rows. */
export function describeResult(
  { rowsIn, rowsOut, summary }: Pick<StageResult, "rowsIn" | "rowsOut" | "summary">,
  seconds: number,
  rowsPerSecond: number,
): string {
  const format = (value: number) => value.toLocaleString("en");
  const time = `${seconds.toFixed(2)} s`;
  if (summary !== undefined) return `${summary}, ${time}`;
  // generate has no rows in.
  const counts = rowsIn === 0 && rowsOut > 0
    ? `${format(rowsOut)} rows`
    : `${format(rowsIn)} rows in, ${format(rowsOut)} rows out`;
  return rowsPerSecond > 0 ? `${counts}, ${time}, ${format(rowsPerSecond)} rows/s` : `${counts}, ${time}`;
}
