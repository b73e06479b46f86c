/** Checks that the newest export is new enough: `newest_within_days` of a source file. */
import { SalesflowError } from "../console/errors.ts";
import { type IsoDate, toDay, today, toIsoDate } from "../domain/dates.ts";
import type { Input } from "./inputs.ts";

const WAIT_REMEDY = "Run the command again when the new export is there.";

/** Returns the error for exports that are not there yet. */
export function noExportYet(message: string): SalesflowError {
  return new SalesflowError(message, { exitCode: 75, stage: "ingest", remedy: WAIT_REMEDY });
}

/**
 * Checks that a file was last changed at most so many days before the as-of date, or after it. Dates are Moscow's.
 *
 * @throws {SalesflowError} with exit code 75 when the newest file is older
 */
export async function checkFreshness(inputs: readonly Input[], asOf: IsoDate, days: number): Promise<void> {
  const earliest = toIsoDate(toDay(asOf) - days);
  let newest: { path: string; date: IsoDate } | undefined;
  for (const input of inputs) {
    // What comes through a pipe comes now.
    if (input.readOnce) return;
    const state = await input.stat();
    if (!state) continue;
    const date = today(state.modifiedAt);
    if (date >= earliest) return;
    if (!newest || date > newest.date) newest = { path: input.path, date };
  }
  throw noExportYet(
    newest
      ? `The newest export, ${newest.path}, is of ${newest.date}: there is none of ${earliest} or later`
      : `There is no export of ${earliest} or later`,
  );
}
