/** Lookup tables: map values of an export to a result. No I/O. */
import { UsageError } from "../../console/errors.ts";
import { CsvReader } from "../formats/csv_records.ts";
import { toPrintable } from "../../console/printable.ts";
import { detectDelimiter } from "../formats/delimiter.ts";
import { isUndecided } from "./undecided.ts";

/** A line of a table. */
interface Row {
  /** Expected values in lower case; an empty cell matches any value. */
  cells: readonly string[];
  result: string;
}

/** Maximum number of cached results. */
const MAX_KEPT_RESULTS = 100_000;
const SEPARATOR = "\0";

function normalize(value: string): string {
  return value.trim().toLowerCase();
}

/** A lookup table; the first matching row wins. */
export class LookupTable {
  readonly #rows: readonly Row[];
  readonly #kept = new Map<string, string | undefined>();

  private constructor(rows: readonly Row[]) {
    this.#rows = rows;
  }

  /** Creates a table of one column from values in lower case and their results. */
  static fromEntries(entries: ReadonlyMap<string, string>): LookupTable {
    return new LookupTable([...entries].map(([value, result]) => ({ cells: [value], result })));
  }

  /**
   * Parses a table from delimited text with a header: the values' columns in their order, then the result.
   *
   * @param columns number of values
   * @param path path or URL, for messages
   * @throws {UsageError} with all lines that have another number of values, the key of a line above with another result, or no
   * decision yet; or when there is none
   */
  static parse(text: string, columns: number, path: string): LookupTable {
    const reader = new CsvReader({ delimiter: detectDelimiter(text.split("\n", 1)[0]!), quote: "csv" });
    const rows: Row[] = [];
    const mistakes: string[] = [];
    const seen = new Map<string, { result: string; line: number }>();
    let isHeader = true;
    reader.read(text, 1, true, (values, _, line) => {
      if (values!.length === columns + 1) {
        const cells = values!.map(normalize);
        if (!isHeader) {
          const [keys, result] = [cells.slice(0, columns), values![columns]!.trim()];
          rows.push({ cells: keys, result });
          const above = seen.get(keys.join(SEPARATOR));
          const key = toPrintable(values!.slice(0, columns).map((value) => value.trim()).join(", "));
          if (above && above.result !== result.toLowerCase()) {
            mistakes.push(`${path} lines ${above.line} and ${line}: ${key} has two results`);
          }
          if (isUndecided(result)) mistakes.push(`${path} line ${line}: ${key} is not decided`);
          if (!above) seen.set(keys.join(SEPARATOR), { result: result.toLowerCase(), line });
        }
      } else mistakes.push(`${path} line ${line}: it has ${values!.length} values, not ${columns + 1}`);
      isHeader = false;
    });
    if (rows.length === 0 && mistakes.length === 0) {
      mistakes.push(`${path}: there are no lines below its header`);
    }
    if (mistakes.length > 0) {
      throw new UsageError(
        mistakes,
        "A lookup has a header, the columns in their order, and the result as the last one; one result for each key.",
      );
    }
    return new LookupTable(rows);
  }

  /** Returns the result of the first matching row; undefined when there is none or its result is empty. */
  find(values: readonly string[]): string | undefined {
    const key = values.length === 1 ? values[0]! : values.join(SEPARATOR);
    const kept = this.#kept.get(key);
    if (kept !== undefined || this.#kept.has(key)) return kept;
    const normal = values.map(normalize);
    const row = this.#rows.find(({ cells }) =>
      cells.every((cell, index) => cell === "" || cell === normal[index])
    );
    if (this.#kept.size >= MAX_KEPT_RESULTS) this.#kept.clear();
    const result = row?.result || undefined;
    this.#kept.set(key, result);
    return result;
  }
}
