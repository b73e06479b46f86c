/** How long the command waits for a database and how often it tries again. */

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
export const DEFAULT_LIMITS: Readonly<DatabaseLimits> = {
  retries: 6,
  firstRetryMs: 500,
  longestRetryMs: 15_000,
  statementMs: 120_000,
  stallMs: 60_000,
  lockWaitMs: 120_000,
};

/** Slower than this the server is taken for stuck; the slowest machine measured was forty times as fast. */
const SLOWEST_ROWS_PER_MS = 20;

/** Longest time for a statement that touches every row: the fixed part and a time for each row. */
export function statementMsFor(limits: DatabaseLimits, rows: number): number {
  return limits.statementMs + Math.ceil(rows / SLOWEST_ROWS_PER_MS);
}
