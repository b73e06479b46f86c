/** How faults went, in the words of the table that is printed. */

/** One kind of fault, tried some times. */
export interface FaultResult {
  fault: string;
  tried: number;
  /** What came of it, as it should be. */
  outcome: string;
  /** What was not as it should be; empty is passed. */
  wrong: string[];
  /** Why it was not tried. */
  skipped?: string;
}
