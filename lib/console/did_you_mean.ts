/** Suggestions for mistyped words. */
import leven, { closestMatch } from "leven";

/** Suggests the candidate that a mistyped word is closest to, as a sentence; empty when none is close. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const nearest = closestMatch(word, candidates, { maxDistance: 2 });
  // Two typos in a short word leave little of it.
  const isClose = nearest !== undefined &&
    leven(word, nearest) <= Math.max(word.length, nearest.length) / 3;
  return isClose ? ` Did you mean ${nearest}?` : "";
}
