/** How long the command waits for a database and how often it tries again. */
import { UsageError } from "../console/errors.ts";

/** Limits of one conversation with a database; all times in milliseconds. */
export interface DatabaseLimits {
  /** Tries after the first one, when the connection fails or breaks off. */
  retries: number;
  /** Wait before the second try; doubled each time, with jitter. */
  firstRetryMs: number;
  /** Longest wait between two tries. */
  longestRetryMs: number;
  /** Longest time a statement may take whose work does not grow with the rows. */
  statementMs: number;
  /** Longest time a stream of rows may stand still. */
  stallMs: number;
  /** Longest wait for another command that is at the same work. */
  lockWaitMs: number;
}

/** Two minutes of patience with a database that restarts, as many with another command. */
const PATIENT = { retries: 6, timeoutSeconds: 120 };
const MOST_RETRIES = 100;
const LONGEST_TIMEOUT_SECONDS = 86_400;

/** Reads `SALESFLOW_RETRIES` and `SALESFLOW_TIMEOUT_SECONDS`; what cannot be used counts as not set, and is named. */
function readLimits(
  environment: (name: string) => string | undefined,
): { limits: DatabaseLimits; mistakes: string[] } {
  const mistakes: string[] = [];
  const wholeNumber = (name: string, fallback: number, min: number, max: number) => {
    const text = environment(name) || String(fallback);
    if (/^\d{1,6}$/.test(text) && Number(text) >= min && Number(text) <= max) return Number(text);
    mistakes.push(`Cannot use ${name} ${text}: it must be a whole number from ${min} to ${max}`);
    return fallback;
  };
  const retries = wholeNumber("SALESFLOW_RETRIES", PATIENT.retries, 0, MOST_RETRIES);
  const timeoutMs = 1000 *
    wholeNumber("SALESFLOW_TIMEOUT_SECONDS", PATIENT.timeoutSeconds, 1, LONGEST_TIMEOUT_SECONDS);
  const limits = {
    retries,
    firstRetryMs: 500,
    longestRetryMs: 15_000,
    statementMs: timeoutMs,
    stallMs: timeoutMs / 2,
    lockWaitMs: timeoutMs,
  };
  return { limits, mistakes };
}

/**
 * Limits as `SALESFLOW_RETRIES` and `SALESFLOW_TIMEOUT_SECONDS` say; a stream may stand still for half of the timeout.
 *
 * @throws {UsageError} naming every mistake at once
 */
export function limitsFrom(environment: (name: string) => string | undefined): DatabaseLimits {
  const { limits, mistakes } = readLimits(environment);
  if (mistakes.length > 0) throw new UsageError(mistakes);
  return limits;
}

/**
 * The limits of this process, read from its environment when it starts. Mistakes are for the command line to report,
 * together with its own: an error while modules load would be the only one that anybody sees.
 */
export const DEFAULT_LIMITS: Readonly<DatabaseLimits> = readLimits((name) => Deno.env.get(name)).limits;

/** Slower than this the server is taken for stuck; the slowest machine measured was forty times as fast. */
const SLOWEST_ROWS_PER_MS = 20;

/** Longest time for a statement that touches every row: the fixed part and a time for each row. */
export function statementMsFor(limits: DatabaseLimits, rows: number): number {
  return limits.statementMs + Math.ceil(rows / SLOWEST_ROWS_PER_MS);
}
