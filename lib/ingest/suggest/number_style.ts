/** Finds out how an export writes numbers. No I/O. */
import type { NumberStyle } from "../values/number_text.ts";

/** What the numbers of an export say. */
export interface FoundStyle {
  /** The style; undefined when none needs to be named. */
  style?: NumberStyle;
  /** Whether `1,234` may mean either, and nothing else tells. */
  isUndecided: boolean;
  /** Numbers that tell, as evidence. */
  telling: number;
  /** One of them. */
  example: string;
}

/** Returns what stands from the first digit to the last; a mark right before the first counts. */
function coreOf(text: string): string {
  return /[\d.,](?:.*\d)?/.exec(text)?.[0] ?? "";
}

/**
 * Finds out how numbers are written.
 *
 * @param values of all columns of numbers
 * @param quantities those of the quantity: thousands of pieces are rarer than `1,000` with three decimals, so when all end with
 * `,000` they have decimals
 */
export function findNumberStyle(values: Iterable<string>, quantities: readonly string[] = []): FoundStyle {
  const decimal = { ".": 0, ",": 0 };
  const thousands = { ".": 0, ",": 0, "'": 0, " ": 0 };
  const examples: Record<string, string> = {};
  let undecided = "";
  for (const value of values) {
    const core = coreOf(value.trim());
    if (core === "" || /^\d+$/.test(core)) continue;
    if (/\d\s\d/.test(core)) thousands[" "]++;
    if (/\d['’]\d/.test(core)) thousands["'"]++;
    const plain = core.replace(/[\s'’]/g, "");
    const marks = [...plain].filter((character) => character === "." || character === ",");
    const last = marks.at(-1);
    if (last === undefined) continue;
    const other = last === "," ? "." : ",";
    if (marks.includes(other)) {
      decimal[last]++;
      thousands[other]++;
      examples[last] = value;
    } else if (marks.length > 1) {
      thousands[last]++;
      examples[other] ??= value;
    } else if (!/^[1-9]\d{0,2}[.,]\d{3}$/.test(plain)) {
      decimal[last]++;
      examples[last] ??= value;
    } else if (last === ",") undecided ||= value;
  }
  const isDecimalQuantity = quantities.length > 0 && quantities.every((value) => /^\d+,000$/.test(value));
  const comma = decimal[","] > decimal["."] ||
    (decimal[","] === 0 && decimal["."] === 0 && isDecimalQuantity);
  const mark = comma ? "," : ".";
  const telling = decimal[mark];
  const group = thousands["'"] > 0
    ? "'"
    : comma
    ? thousands["."] > 0 ? "." : thousands[" "] > 0 ? " " : ""
    : thousands[","] > 0
    ? ","
    : "";
  if (comma || group !== "") {
    return {
      style: { decimal: mark, thousands: group },
      isUndecided: false,
      telling: Math.max(telling, group === "" ? 0 : 1),
      example: examples[mark] ?? undecided ?? "",
    };
  }
  // With decimal points elsewhere, a comma before three digits stands between thousands.
  if (undecided !== "" && decimal["."] > 0) {
    return { style: { decimal: ".", thousands: "," }, isUndecided: false, telling, example: undecided };
  }
  return { isUndecided: undecided !== "", telling, example: undecided };
}
