/** Finds changes that stand out from the others. No I/O. */

/** Values below which nothing is said: too few to know what is usual. */
export const MIN_VALUES = 8;
/** Robust standard deviations from the median. Source: Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993. */
export const THRESHOLD = 3.5;
/** Makes the median absolute deviation of a normal distribution its standard deviation. */
const NORMAL = 1.4826;

function medianOf(sorted: readonly number[]): number {
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2;
}

/** What is usual among values. */
export interface Usual {
  /** Its middle. */
  median: number;
  /** Half of the width of what is usual. */
  margin: number;
}

/** Returns what is usual; undefined when there are too few values, or most are the same. */
export function findUsual(values: readonly number[]): Usual | undefined {
  if (values.length < MIN_VALUES) return undefined;
  const median = medianOf(values.toSorted((a, b) => a - b));
  const deviation = medianOf(values.map((value) => Math.abs(value - median)).sort((a, b) => a - b));
  return deviation === 0 ? undefined : { median, margin: THRESHOLD * NORMAL * deviation };
}

/** Reports whether a value is not usual. */
export function isUnusual(value: number, { median, margin }: Usual): boolean {
  return Math.abs(value - median) > margin;
}
