/** Results of faults, for the printed table. */

/** Result of one kind of fault. */
export interface FaultResult {
  fault: string;
  /** Number of attempts. */
  tried: number;
  /** The expected outcome. */
  outcome: string;
  /** Deviations from it; the test passed if there are none. */
  wrong: string[];
  /** Why the fault was skipped. */
  skipped?: string;
}
