/** Finds what a person has not decided in a suggested source file. No I/O. */
import { type Document, isPair, isScalar, type LineCounter, visit } from "yaml";
import { toPrintable } from "../../console/printable.ts";

/** Stands in a suggested source file in place of what only a person can know. */
export const UNDECIDED = "DECIDE";

/** The word, with a question behind a colon. */
const UNDECIDED_VALUE = /^DECIDE(?::|$)/;
/** Values that are named one by one. */
const MAX_NAMED = 10;

/** Reports whether a text stands for a decision. */
export function isUndecided(text: string): boolean {
  return UNDECIDED_VALUE.test(text.trim());
}

/** Returns sentences about all values that are not decided, each with its line; none when all are. */
export function findUndecided(document: Document, lines: LineCounter, path: string): string[] {
  const found: string[] = [];
  visit(document, {
    Scalar(_, { value, range }, ancestors) {
      if (typeof value !== "string" || !isUndecided(value)) return;
      const keys = ancestors.flatMap((each) =>
        isPair(each) && isScalar(each.key) ? [String(each.key.value)] : []
      );
      const { line } = lines.linePos(range?.[0] ?? 0);
      const question = value.trim().slice(UNDECIDED.length).replace(/^:\s*/, "");
      found.push(
        `${path} line ${line}: ${toPrintable(keys.join(", "))} is not decided${
          question === "" ? "" : `: ${toPrintable(question)}`
        }`,
      );
    },
  });
  const more = found.length - MAX_NAMED;
  return more > 0 ? [...found.slice(0, MAX_NAMED), `${path}: ${more} more are not decided`] : found;
}
