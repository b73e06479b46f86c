/** Retries of transient failures, with exponential backoff. */
import pRetry from "p-retry";
import type { DatabaseLimits } from "./limits.ts";
import { escapePlaceholders, formatAttemptsLeft, logger } from "../console/log.ts";

/** Options of {@linkcode withRetry}. */
export interface RetryOptions {
  /** Number of retries, and their delays. */
  limits: DatabaseLimits;
  /** Cancels waiting and retrying. */
  signal: AbortSignal;
  /** Reports whether a retry may succeed. */
  isTransient: (error: Error) => boolean;
  /** Logger of the retries, such as `postgres`. */
  log: string;
  /** Name of the server in the log, such as `host:port/database`. */
  server: string;
}

/**
 * Runs `work`, and again after transient errors, with exponential backoff and jitter.
 *
 * @throws the last error, or the signal's reason
 */
export function withRetry<T>(
  work: () => Promise<T>,
  { limits, signal, isTransient, log, server }: RetryOptions,
): Promise<T> {
  return pRetry(work, {
    retries: limits.retries,
    minTimeout: limits.minRetryDelayMs,
    maxTimeout: limits.maxRetryDelayMs,
    randomize: true,
    signal,
    shouldRetry: ({ error }) => isTransient(error),
    onFailedAttempt({ error, retriesLeft }) {
      if (signal.aborted || retriesLeft === 0 || !isTransient(error)) return;
      const message = `${server}: ${error.message}; retrying (${formatAttemptsLeft(retriesLeft)})`;
      logger(log).warn(escapePlaceholders(message));
    },
  });
}
