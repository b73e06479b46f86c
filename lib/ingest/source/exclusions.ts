/** Lines of an export that are not sales: totals, repeated headers, returns, and lines excluded by the source file. No I/O. */
import { type HeaderNames, namesOf, normalizeName } from "./header_names.ts";
import type { OnlyRule, SourceFile } from "./source_file.ts";

/** Beginnings of lines with totals, in lower case. */
const TOTALS = ["total", "итого", "всего"];
const TOTALS_START = "tTиИвВ";

function compileOnly(
  { column, test }: OnlyRule,
  header: HeaderNames,
): (values: readonly string[]) => boolean {
  const index = header.find(column)!;
  if ("matches" in test) return (values) => test.matches.test(values[index]!.trim());
  const accepted = new Set(test.in);
  return (values) => accepted.has(values[index]!.trim().toLowerCase());
}

/** Finds the exclusion of a line. */
export class Exclusions {
  readonly #saleIdColumns: readonly number[];
  readonly #only: readonly { fits: (values: readonly string[]) => boolean; name: string }[];
  readonly #currency: { index: number; code: string } | undefined;
  readonly #returns: { index: number; values: ReadonlySet<string> } | undefined;
  readonly #headerNames: ReadonlySet<string>;
  /** Whether a record that begins with this ASCII character may be the header again. */
  readonly #mayBeginHeader = new Uint8Array(128);
  readonly #sortedHeader: string;

  /** Compiles the rules of a source file for a header that has all the columns that it needs. */
  constructor(source: SourceFile, header: HeaderNames) {
    const { only, currency, returns, columns } = source;
    const saleId = namesOf(columns.sale_id);
    this.#saleIdColumns = [...saleId.columns, ...saleId.texts].flatMap((name) => header.find(name) ?? []);
    this.#only = only.map((rule) => ({ fits: compileOnly(rule, header), name: rule.name }));
    this.#currency = currency?.column === undefined
      ? undefined
      : { index: header.find(currency.column)!, code: currency.code.toLowerCase() };
    this.#returns = returns && { index: header.find(returns.column)!, values: new Set(returns.in) };
    const names = header.names.map(normalizeName);
    this.#headerNames = new Set(names);
    for (const name of [...names, " ", "\t", "\n", "\v", "\f", "\r"]) {
      for (const first of [name.charCodeAt(0), name.toUpperCase().charCodeAt(0)]) {
        this.#mayBeginHeader[first] = 1;
      }
    }
    this.#sortedHeader = sortNames(names);
  }

  /** Reports whether a record is the header again, perhaps with its columns in another order. */
  isHeader(values: readonly string[]): boolean {
    // Fast paths for nearly all records.
    const first = values[0]!.charCodeAt(0);
    if (first < 128 && this.#mayBeginHeader[first] === 0) return false;
    if (!this.#headerNames.has(normalizeName(values[0]!))) return false;
    return sortNames(values.map(normalizeName)) === this.#sortedHeader;
  }

  /** Returns the first exclusion that applies to a record, except `header`; undefined if none does. */
  find(values: readonly string[]): string | undefined {
    if (this.#isTotal(values)) return "total";
    for (const { fits, name } of this.#only) if (!fits(values)) return name;
    if (this.#currency && values[this.#currency.index]!.trim().toLowerCase() !== this.#currency.code) {
      return "currency";
    }
    if (this.#returns?.values.has(values[this.#returns.index]!.trim().toLowerCase())) return "return";
    return undefined;
  }

  #isTotal(values: readonly string[]): boolean {
    const columns = this.#saleIdColumns;
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
