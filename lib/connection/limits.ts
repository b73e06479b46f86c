/** Timeouts and retries of connections to databases and buckets. */
import { UsageError } from "../console/errors.ts";

/** Limits of a database session. All times are in milliseconds. */
export interface DatabaseLimits {
  /** Retries after a failed or lost connection, not counting the first attempt. */
  retries: number;
  /** Delay before the first retry; doubled each time, with jitter. */
  minRetryDelayMs: number;
  /** Maximum delay between two attempts. */
  maxRetryDelayMs: number;
  /** Timeout of a statement whose work does not grow with the number of rows. */
  statementTimeoutMs: number;
  /** Timeout of a stream of rows that makes no progress. */
  stallTimeoutMs: number;
  /** Maximum wait for a lock that another command holds. */
  lockTimeoutMs: number;
}

/** Enough to wait two minutes for a database that restarts, and as long for another command. */
const DEFAULTS = { retries: 6, timeoutSeconds: 120 };
const MAX_RETRIES = 100;
const MAX_TIMEOUT_SECONDS = 86_400;

/** Uses the default in place of an invalid value. */
function parseLimits(
  environment: (name: string) => string | undefined,
): { limits: DatabaseLimits; mistakes: string[] } {
  const mistakes: string[] = [];
  const parseInteger = (name: string, fallback: number, min: number, max: number) => {
    const text = environment(name) || String(fallback);
    if (/^\d{1,6}$/.test(text) && Number(text) >= min && Number(text) <= max) return Number(text);
    mistakes.push(`Cannot use ${name} ${text}: it must be a whole number from ${min} to ${max}`);
    return fallback;
  };
  const retries = parseInteger("SALESFLOW_RETRIES", DEFAULTS.retries, 0, MAX_RETRIES);
  const timeoutMs = 1000 *
    parseInteger("SALESFLOW_TIMEOUT_SECONDS", DEFAULTS.timeoutSeconds, 1, MAX_TIMEOUT_SECONDS);
  const limits = {
    retries,
    minRetryDelayMs: 500,
    maxRetryDelayMs: 15_000,
    statementTimeoutMs: timeoutMs,
    stallTimeoutMs: timeoutMs / 2,
    lockTimeoutMs: timeoutMs,
  };
  return { limits, mistakes };
}

/**
 * Reads the limits from `SALESFLOW_RETRIES` and `SALESFLOW_TIMEOUT_SECONDS`. A stream may stall for half of the timeout.
 *
 * @throws {UsageError} listing all mistakes
 */
export function readLimits(environment: (name: string) => string | undefined): DatabaseLimits {
  const { limits, mistakes } = parseLimits(environment);
  if (mistakes.length > 0) throw new UsageError(mistakes);
  return limits;
}

let ofProcess: DatabaseLimits | undefined;

function limitsOfProcess(): DatabaseLimits {
  return ofProcess ??= parseLimits((name) => Deno.env.get(name)).limits;
}

/**
 * Limits of this process, read from its environment when one of them is first needed, which is after files with settings
 * were read. Invalid values are reported by the command line together with its own mistakes.
 */
export const DEFAULT_LIMITS: Readonly<DatabaseLimits> = {
  get retries() {
    return limitsOfProcess().retries;
  },
  get minRetryDelayMs() {
    return limitsOfProcess().minRetryDelayMs;
  },
  get maxRetryDelayMs() {
    return limitsOfProcess().maxRetryDelayMs;
  },
  get statementTimeoutMs() {
    return limitsOfProcess().statementTimeoutMs;
  },
  get stallTimeoutMs() {
    return limitsOfProcess().stallTimeoutMs;
  },
  get lockTimeoutMs() {
    return limitsOfProcess().lockTimeoutMs;
  },
};

/** A slower server is considered stuck. The slowest machine measured was forty times as fast. */
const MIN_ROWS_PER_MS = 20;

/** Returns the timeout of a statement that reads or writes each of `rows` rows: the fixed timeout plus a share per row. */
export function statementTimeoutForRows(limits: DatabaseLimits, rows: number): number {
  return limits.statementTimeoutMs + Math.ceil(rows / MIN_ROWS_PER_MS);
}
