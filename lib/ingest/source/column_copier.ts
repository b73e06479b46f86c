/** Copies the columns of a simple export, which `--map` names, with unchanged values. No I/O. */
import { SALE_COLUMNS } from "../../domain/sale.ts";
import { addCurrency, type Currencies, findCurrencyColumn } from "./currencies.ts";
import { Exclusions } from "./exclusions.ts";
import type { HeaderNames } from "./header_names.ts";
import {
  addExcluded,
  type Excluded,
  type Found,
  type FoundProduct,
  type Mapper,
  nothingFound,
  parseCents,
} from "./record_mapper.ts";
import type { Rule } from "./rule.ts";
import type { SourceFile } from "./source_file.ts";

/** Maps our column names to an export's, where they differ. */
export type ColumnMap = Partial<Record<typeof SALE_COLUMNS[number], string>>;

/** Returns the source file that `--map` and `--encoding` stand for. */
export function sourceOfMap(map: ColumnMap, encoding: string | undefined): SourceFile {
  const rule = (column: typeof SALE_COLUMNS[number]): Rule => ({
    kind: "column",
    column: map[column] ?? column,
  });
  return {
    path: "--map",
    files: [],
    format: encoding === undefined ? {} : { encoding },
    only: [],
    columns: Object.fromEntries(
      SALE_COLUMNS.map((column) => [column, rule(column)]),
    ) as SourceFile["columns"],
    roundAmounts: false,
    onConflict: "first",
  };
}

const SALE_AMOUNT = SALE_COLUMNS.indexOf("sale_amount");

/** Copies the records of one header. Nothing but a repeated header is excluded. */
export class ColumnCopier implements Mapper {
  readonly excluded: Map<string, Excluded>;
  readonly products: Map<string, FoundProduct>;
  readonly currencies: Currencies;
  readonly #currencyColumn: number | undefined;
  readonly within: readonly number[] = [];
  readonly fillDown: undefined;
  readonly #exclusions: Exclusions;
  readonly #indexes: readonly number[];

  /** Finds the columns of a source file by {@linkcode sourceOfMap} in a header that has all of them. */
  constructor(source: SourceFile, header: HeaderNames, found: Found = nothingFound()) {
    this.excluded = found.excluded;
    this.products = found.products;
    this.currencies = found.currencies;
    this.#currencyColumn = findCurrencyColumn(source, header);
    this.#exclusions = new Exclusions(source, header);
    this.#indexes = SALE_COLUMNS.map((column) =>
      header.find((source.columns[column] as Rule & { kind: "column" }).column)!
    );
  }

  isHeader(values: readonly string[]): boolean {
    return this.#exclusions.isHeader(values);
  }

  excludeHeader(line: number): void {
    addExcluded(this.excluded, "header", { lines: 1, cents: 0n, firstLine: line });
  }

  map(values: readonly string[], line: number): readonly string[] {
    if (this.#currencyColumn !== undefined) {
      const cents = parseCents(values[this.#indexes[SALE_AMOUNT]!]!.trim()) ?? 0n;
      addCurrency(this.currencies, values[this.#currencyColumn]!, { lines: 1, cents, firstLine: line });
    }
    return this.#indexes.map((index) => values[index]!);
  }
}
