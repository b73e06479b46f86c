/** Maps records of an export to raw rows by the rules of a source file, and counts excluded lines. No I/O. */
import { toCents } from "../../domain/money.ts";
import { SALE_COLUMNS } from "../../domain/sale.ts";
import type { IdConverter, IdConverters } from "../values/ids.ts";
import { compileColumn, type Compute, findLineWithins, type RuleContext } from "./compile_rule.ts";
import { addCurrency, type Currencies, findCurrencyColumn } from "./currencies.ts";
import { Exclusions, isReturn } from "./exclusions.ts";

/** What a mapper finds beside rows. */
export interface Findings {
  /** Excluded lines, by the name of the rule. */
  readonly excluded: Map<string, Excluded>;
  /** Products, by the text of their id. */
  readonly products: Map<string, FoundProduct>;
  /** Sales by currency, where a column looks like one and none is declared. */
  readonly currencies: Currencies;
}

/** What all mappers find. */
export interface Found extends Findings {
  /** Number of times that all this was taken. */
  taken: number;
}

/** Returns a place for what mappers find. */
export function nothingFound(): Found {
  return { excluded: new Map(), products: new Map(), currencies: new Map(), taken: 0 };
}

/** Turns the records of one header into raw rows, and adds to what was found before. */
export interface Mapper extends Findings {
  /** Indexes of the columns whose lines are numbered: one for each `line_within`. */
  readonly within: readonly number[];
  /** Indexes of the columns of `fill_down`, if there is one. */
  readonly fillDown: { within: number; columns: readonly number[] } | undefined;
  /** Reports whether a record is the header again, perhaps with its columns in another order. */
  isHeader(values: readonly string[]): boolean;
  /** Counts a line as the header again. */
  excludeHeader(line: number): void;
  /**
   * Returns the texts of a sale's columns; undefined when the line is excluded, which is counted.
   *
   * @param numbers numbers of the line, one for each `line_within`
   */
  map(values: readonly string[], line: number, numbers: readonly number[]): readonly string[] | undefined;
}

/** Lines excluded by one rule. */
export interface Excluded {
  /** Number of lines. */
  lines: number;
  /** Sum of the amounts that could be computed, in cents. */
  cents: bigint;
  /** Number of the first line. */
  firstLine: number;
}

/** A product of the export. */
export interface Product {
  /** Its product_id. */
  readonly id: string;
  /** Its id as the export writes it. */
  readonly sku: string;
  /** Its last name; empty when there is none. */
  readonly name: string;
  /** Its last category; empty when there is none. */
  readonly category: string;
}

/** A product that lines name. */
export interface FoundProduct {
  /** With the last name and the last category. */
  current: Product;
}

/** Adds the name and the category of a later line to a product. */
export function updateProduct(found: FoundProduct, product: Product): void {
  const { current } = found;
  const name = product.name || current.name;
  const category = product.category || current.category;
  if (name === current.name && category === current.category) return;
  found.current = name === product.name && category === product.category
    ? product
    : { ...current, name, category };
}

/** Adds the product of a line; returns undefined when it has no id. */
export function addProduct(
  products: Map<string, FoundProduct>,
  product: Product,
): FoundProduct | undefined {
  const found = products.get(product.sku);
  if (found) {
    updateProduct(found, product);
    return found;
  }
  if (product.sku === "") return undefined;
  const added = { current: product };
  products.set(product.sku, added);
  return added;
}

/** Adds lines to the exclusions of a rule. */
export function addExcluded(all: Map<string, Excluded>, rule: string, more: Excluded): void {
  const excluded = all.get(rule);
  if (!excluded) {
    all.set(rule, { ...more });
    return;
  }
  excluded.lines += more.lines;
  excluded.cents += more.cents;
}

const [PRODUCT_ID, QUANTITY, SALE_AMOUNT] = [
  SALE_COLUMNS.indexOf("product_id"),
  SALE_COLUMNS.indexOf("quantity"),
  SALE_COLUMNS.indexOf("sale_amount"),
];
const AMOUNT = /^-?\d{1,15}(?:\.\d{1,2})?$/;

/** Returns an amount in cents; undefined when the text is not an amount. */
export function parseCents(amount: string): bigint | undefined {
  if (!AMOUNT.test(amount)) return undefined;
  const [whole, decimals = ""] = amount.split(".");
  return toCents(`${whole}.${decimals.padEnd(2, "0")}`);
}

/** Maps the records of one header by the rules of a source file. */
export class RecordMapper implements Mapper {
  readonly excluded: Map<string, Excluded>;
  readonly products: Map<string, FoundProduct>;
  readonly currencies: Currencies;
  readonly #currencyColumn: number | undefined;
  readonly #exclusions: Exclusions;
  readonly #columns: readonly Compute[];
  readonly #convert: readonly (IdConverter | undefined)[];
  readonly #productName: Compute;
  readonly #productCategory: Compute;
  readonly within: readonly number[];
  readonly fillDown: { within: number; columns: readonly number[] } | undefined;

  /**
   * Compiles the rules of a source file.
   *
   * @param ids shared by the mappers of several headers
   * @param found shared, too, so that the order of lines counts
   */
  constructor(context: RuleContext, ids: IdConverters, found: Found = nothingFound()) {
    this.excluded = found.excluded;
    this.products = found.products;
    this.currencies = found.currencies;
    this.#currencyColumn = findCurrencyColumn(context.source, context.header);
    this.#exclusions = new Exclusions(context.source, context.header);
    this.#columns = SALE_COLUMNS.map((column) => compileColumn(column, context));
    this.#convert = SALE_COLUMNS.map((column) => ids.get(column));
    this.#productName = compileColumn("product_name", context);
    this.#productCategory = compileColumn("product_category", context);
    const indexOf = (name: string) => context.header.find(name)!;
    this.within = findLineWithins(context.source).map(indexOf);
    const { fillDown } = context.source;
    this.fillDown = fillDown && { within: indexOf(fillDown.within), columns: fillDown.columns.map(indexOf) };
  }

  isHeader(values: readonly string[]): boolean {
    return this.#exclusions.isHeader(values);
  }

  excludeHeader(line: number): void {
    addExcluded(this.excluded, "header", { lines: 1, cents: 0n, firstLine: line });
  }

  map(values: readonly string[], line: number, numbers: readonly number[]): readonly string[] | undefined {
    const record = { values, numbers };
    const rule = this.#exclusions.find(values);
    if (rule !== undefined) {
      this.#exclude(rule, line, this.#columns[SALE_AMOUNT]!(record));
      return undefined;
    }
    const fields = new Array<string>(this.#columns.length);
    for (let index = 0; index < fields.length; index++) fields[index] = this.#columns[index]!(record);
    if (isReturn(fields[QUANTITY]!, fields[SALE_AMOUNT]!)) {
      this.#exclude("return", line, fields[SALE_AMOUNT]!);
      return undefined;
    }
    if (this.#currencyColumn !== undefined) {
      const sale = { lines: 1, cents: parseCents(fields[SALE_AMOUNT]!) ?? 0n, firstLine: line };
      addCurrency(this.currencies, values[this.#currencyColumn]!, sale);
    }
    const sku = fields[PRODUCT_ID]!;
    for (let index = 0; index < fields.length; index++) {
      const converter = this.#convert[index];
      if (converter) fields[index] = converter.convert(fields[index]!);
    }
    addProduct(this.products, {
      id: fields[PRODUCT_ID]!,
      sku,
      name: this.#productName(record),
      category: this.#productCategory(record),
    });
    return fields;
  }

  #exclude(rule: string, line: number, amount: string): void {
    addExcluded(this.excluded, rule, { lines: 1, cents: parseCents(amount) ?? 0n, firstLine: line });
  }
}
