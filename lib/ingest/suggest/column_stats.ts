/** What the values of a column look like. No I/O. */
import { nameWords } from "./vocabulary.ts";
import { normalizeNumber, type NumberStyle } from "../values/number_text.ts";

/** A column of a sample. */
export interface Column {
  /** Its name as the export has it, without surrounding blanks. */
  name: string;
  /** Words of its name. */
  words: string;
  /** Where it stands. */
  index: number;
  /** Its values that are not empty, without surrounding blanks, in the order of the records. */
  filled: readonly string[];
  /** Number of records. */
  rows: number;
}

/** Beginnings of lines that are totals, in lower case. */
const TOTAL = /^(?:total|итого|всего)/i;

/** Share of the values of a total that may be there. */
const MAX_FILLED = 0.7;

/** Reports whether a record is a total: few of its values are there, and the first begins with such a word. */
export function isTotalRow(row: readonly string[]): boolean {
  const first = row.find((value) => value.trim() !== "");
  const filled = row.filter((value) => value.trim() !== "").length;
  return first !== undefined && TOTAL.test(first.trim()) && filled <= row.length * MAX_FILLED;
}

/** Returns the columns that have a name, the first of those with one name. */
export function toColumns(names: readonly string[], rows: readonly (readonly string[])[]): Column[] {
  const seen = new Set<string>();
  return names.flatMap((given, index) => {
    const name = given.replace(/[\s\ufeff]+/g, " ").trim();
    const words = nameWords(name);
    if (name === "" || seen.has(name.toLowerCase())) return [];
    seen.add(name.toLowerCase());
    const filled = rows.map((row) => row[index]!.trim()).filter((value) => value !== "");
    return [{ name, words, index, filled, rows: rows.length }];
  });
}

/** Counts values without regard to case, the most frequent first; each as it is most often written. */
export function countValues(values: Iterable<string>): [value: string, count: number][] {
  const counts = new Map<string, Map<string, number>>();
  for (const value of values) {
    const key = value.toLowerCase();
    const spellings = counts.get(key) ?? new Map<string, number>();
    spellings.set(value, (spellings.get(value) ?? 0) + 1);
    counts.set(key, spellings);
  }
  const all = [...counts.values()].map((spellings): [string, number] => {
    const sorted = [...spellings].sort((a, b) => b[1] - a[1]);
    return [sorted[0]![0], sorted.reduce((sum, [, count]) => sum + count, 0)];
  });
  return all.sort((a, b) => b[1] - a[1]);
}

/** Returns the share of values, from 0 to 1, for which a test holds; 0 when there are none. */
export function shareOf(values: readonly string[], test: (value: string) => boolean): number {
  return values.length === 0 ? 0 : values.filter(test).length / values.length;
}

/** Reports whether a text is a number with at most a mark of a currency around it. */
export function looksNumeric(text: string): boolean {
  return /^[(\s−+-]*(?:\p{Sc}|[A-Z]{3}\b)?[\s−-]*[\d.,][\d\s.,'’]*[\s)−-]*(?:\p{Sc}|[A-Z]{3}|руб\.?|р\.?|шт\.?|%)?[\s)−-]*$/u
    .test(text) &&
    /\d/.test(text);
}

/** Returns a number for comparisons, never for money; NaN when the text is none. */
export function toNumber(text: string, style: NumberStyle | undefined): number {
  if (text.trim() === "") return 0;
  return Number(normalizeNumber(text, style) ?? NaN);
}
