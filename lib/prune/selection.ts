/** Which runs and import dates are old enough to go. No I/O. */

/** What is kept: the newest ones, or those not older than a number of days. Exactly one of the two. */
export interface Rule {
  /** Number of the newest ones to keep. */
  keep?: number | undefined;
  /** Age in days up to which they are kept. */
  olderThanDays?: number | undefined;
}

/** A run in the store, in PostgreSQL, or in both. */
export interface KnownRun {
  /** Its name. */
  runId: string;
  /** When a command last worked on it, in milliseconds since 1970; undefined when that is unknown. */
  lastUsedMs: number | undefined;
  /** When it was last verified as a whole, in milliseconds since 1970; undefined when it was not. */
  verifiedMs: number | undefined;
}

/** A run that is kept although it is old, and why. */
export interface KeptRun {
  /** Its name. */
  run_id: string;
  /** For people. */
  reason: string;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** Returns the items that the rule does not keep, the oldest first. */
function selectOld<T>(items: readonly T[], timeMs: (item: T) => number, rule: Rule, nowMs: number): T[] {
  const oldestFirst = items.toSorted((left, right) => timeMs(left) - timeMs(right));
  if (rule.keep !== undefined) return oldestFirst.slice(0, Math.max(0, oldestFirst.length - rule.keep));
  const limitMs = nowMs - rule.olderThanDays! * DAY_MS;
  return oldestFirst.filter((item) => timeMs(item) < limitMs);
}

/**
 * Selects the runs to remove. The newest run that was verified is never among them.
 *
 * @param held why a run is needed, by its name
 */
export function selectRuns(
  runs: readonly KnownRun[],
  held: ReadonlyMap<string, string>,
  rule: Rule,
  nowMs: number,
): { remove: KnownRun[]; kept: KeptRun[] } {
  const dated = runs.filter(({ lastUsedMs }) => lastUsedMs !== undefined);
  const verified = dated.filter(({ verifiedMs }) => verifiedMs !== undefined)
    .toSorted((left, right) => right.verifiedMs! - left.verifiedMs!);
  const reasons = new Map(held);
  if (verified[0] && !reasons.has(verified[0].runId)) {
    reasons.set(verified[0].runId, "it is the last one that was verified");
  }
  const old = selectOld(dated, ({ lastUsedMs }) => lastUsedMs!, rule, nowMs);
  const kept = old.filter(({ runId }) => reasons.has(runId))
    .map(({ runId }) => ({ run_id: runId, reason: reasons.get(runId)! }));
  const undated = runs.filter(({ lastUsedMs }) => lastUsedMs === undefined)
    .map(({ runId }) => ({ run_id: runId, reason: "it has no readable record, so that its age is unknown" }));
  return { remove: old.filter(({ runId }) => !reasons.has(runId)), kept: [...kept, ...undated] };
}

/**
 * Selects the import dates to remove. The newest one is never among them, nor one with rows of a run that is needed.
 *
 * @param held runs that are needed
 */
export function selectDates<T extends { importDate: string; runIds: readonly string[] }>(
  dates: readonly T[],
  held: { has(runId: string): boolean },
  rule: Rule,
  nowMs: number,
): T[] {
  const newest = dates.map(({ importDate }) => importDate).toSorted().at(-1);
  return selectOld(dates, ({ importDate }) => Date.parse(importDate), rule, nowMs)
    .filter(({ importDate, runIds }) => importDate !== newest && !runIds.some((runId) => held.has(runId)));
}
