/** Lines of an export that are not sales: totals, repeated headers, returns, and lines excluded by the source file. No I/O. */
import { type HeaderNames, namesOf, normalizeName } from "./header_names.ts";
import type { OnlyRule, SourceFile } from "./source_file.ts";

/** Beginnings of lines with totals, in lower case. */
const TOTALS = ["total", "итого", "всего"];
const TOTALS_START = "tTиИвВ";

/** A rule that excludes lines by the value of one column. */
export interface ExclusionCheck {
  /** Index of the column. */
  column: number;
  /** Name of the rule. */
  name: string;
  /** Reports whether a line with this value is excluded. */
  excludes: (value: string) => boolean;
}

function compileOnly({ test }: OnlyRule): (value: string) => boolean {
  if ("matches" in test) return (value) => !test.matches.test(value.trim());
  const accepted = new Set(test.in);
  return (value) => !accepted.has(value.trim().toLowerCase());
}

/** Finds the exclusion of a line. */
export class Exclusions {
  /** Indexes of the columns of sale_id. */
  readonly saleIdColumns: readonly number[];
  /** Rules by the value of a column, in their order. */
  readonly checks: readonly ExclusionCheck[];
  readonly #headerNames: ReadonlySet<string>;
  /** Whether a record that begins with this ASCII character may be the header again. */
  readonly #mayBeginHeader = new Uint8Array(128);
  readonly #sortedHeader: string;

  /** Compiles the rules of a source file for a header that has all the columns that it needs. */
  constructor(source: SourceFile, header: HeaderNames) {
    const { only, currency, returns, columns } = source;
    const saleId = namesOf(columns.sale_id);
    this.saleIdColumns = [...saleId.columns, ...saleId.texts].flatMap((name) => header.find(name) ?? []);
    const checks = only.map((rule) => ({
      column: header.find(rule.column)!,
      name: rule.name,
      excludes: compileOnly(rule),
    }));
    if (currency?.column !== undefined) {
      const code = currency.code.toLowerCase();
      const excludes = (value: string) => value.trim().toLowerCase() !== code;
      checks.push({ column: header.find(currency.column)!, name: "currency", excludes });
    }
    if (returns) {
      const values = new Set(returns.in);
      const excludes = (value: string) => values.has(value.trim().toLowerCase());
      checks.push({ column: header.find(returns.column)!, name: "return", excludes });
    }
    this.checks = checks;
    const names = header.names.map(normalizeName);
    this.#headerNames = new Set(names);
    for (const name of [...names, " ", "\t", "\n", "\v", "\f", "\r"]) {
      for (const first of [name.charCodeAt(0), name.toUpperCase().charCodeAt(0)]) {
        this.#mayBeginHeader[first] = 1;
      }
    }
    this.#sortedHeader = sortNames(names);
  }

  /** Reports whether a record that begins with this byte, in an encoding that has ASCII, may be the header again. */
  mayBeginHeader(byte: number): boolean {
    return byte >= 128 || this.#mayBeginHeader[byte] === 1;
  }

  /** Reports whether a value may be the first one of the header again. */
  mayBeHeader(value: string): boolean {
    // A fast path for nearly all records.
    const first = value.charCodeAt(0);
    if (first < 128 && this.#mayBeginHeader[first] === 0) return false;
    return this.#headerNames.has(normalizeName(value));
  }

  /** Reports whether a record is the header again, perhaps with its columns in another order. */
  isHeader(values: readonly string[]): boolean {
    if (!this.mayBeHeader(values[0]!)) return false;
    return sortNames(values.map(normalizeName)) === this.#sortedHeader;
  }

  /** Returns the first exclusion that applies to a record, except `header`; undefined if none does. */
  find(values: readonly string[]): string | undefined {
    if (this.#isTotal(values)) return "total";
    for (const { column, name, excludes } of this.checks) if (excludes(values[column]!)) return name;
    return undefined;
  }

  #isTotal(values: readonly string[]): boolean {
    const columns = this.saleIdColumns;
    if (columns.length === 0) return false;
    for (let at = 1; at < columns.length; at++) if (values[columns[at]!]!.trim() !== "") return false;
    if (values[columns[0]!]!.trim() === "") return true;
    const first = values.find((value) => value.trim() !== "")!.trimStart();
    return TOTALS_START.includes(first[0]!) && TOTALS.some((total) => first.toLowerCase().startsWith(total));
  }
}

function sortNames(names: readonly string[]): string {
  return names.toSorted().join("\0");
}

/** Reports whether the quantity or the amount of a sale, in plain decimal text, is below zero. */
export function isReturn(quantity: string, amount: string): boolean {
  return isNegative(quantity) || isNegative(amount);
}

function isNegative(text: string): boolean {
  return text.charCodeAt(0) === 45 && Number(text) < 0;
}
