/** Trying again when a database fails or cannot be reached. */
import pRetry from "p-retry";
import type { DatabaseLimits } from "./limits.ts";
import { logger, triesLeft } from "../console/log.ts";

/** How to try again. */
export interface RetryOptions {
  limits: DatabaseLimits;
  signal: AbortSignal;
  /** Whether an error may pass when the same is done again. */
  passes: (error: Error) => boolean;
  /** Whose words the log gets, such as `postgres`. */
  log: string;
  /** Where it failed, such as `host:port/database`. */
  server: string;
}

/** Does `work`, again after errors that pass, with growing waits. @throws the last error, or the signal's reason */
export function withRetry<T>(
  work: () => Promise<T>,
  { limits, signal, passes, log, server }: RetryOptions,
): Promise<T> {
  return pRetry(work, {
    retries: limits.retries,
    minTimeout: limits.firstRetryMs,
    maxTimeout: limits.longestRetryMs,
    randomize: true,
    signal,
    shouldRetry: ({ error }) => passes(error),
    onFailedAttempt({ error, retriesLeft }) {
      if (signal.aborted || retriesLeft === 0 || !passes(error)) return;
      logger(log).warn(`${server}: ${error.message}; trying again (${triesLeft(retriesLeft)})`);
    },
  });
}
