/** Maps records of an export to raw rows by the rules of a source file, and counts excluded lines. No I/O. */
import { toCents } from "../../domain/money.ts";
import { SALE_COLUMNS } from "../../domain/sale.ts";
import {
  compileColumn,
  type Compute,
  findLineWithins,
  type OnSurrogateKey,
  type RuleContext,
} from "./compile_rule.ts";
import { Exclusions, isReturn } from "./exclusions.ts";

/** A raw row that a record became. */
export interface MappedRow {
  /** Texts of the sale's columns. */
  fields: readonly string[];
  /** Empty when the source file has no rule for it. */
  productName: string;
  /** Empty when the source file has no rule for it. */
  productCategory: string;
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

const [QUANTITY, SALE_AMOUNT] = [SALE_COLUMNS.indexOf("quantity"), SALE_COLUMNS.indexOf("sale_amount")];
const AMOUNT = /^-?\d{1,15}(?:\.\d{1,2})?$/;

/** Returns an amount in cents; undefined when the text is not an amount. */
function parseCents(amount: string): bigint | undefined {
  if (!AMOUNT.test(amount)) return undefined;
  const [whole, decimals = ""] = amount.split(".");
  return toCents(`${whole}.${decimals.padEnd(2, "0")}`);
}

/** Maps the records of one file; a header in another order needs another mapper. */
export class RecordMapper {
  /** Excluded lines so far, by the name of the rule. */
  readonly excluded: Map<string, Excluded> = new Map();
  readonly #exclusions: Exclusions;
  readonly #columns: readonly Compute[];
  readonly #productName: Compute;
  readonly #productCategory: Compute;
  readonly #within: readonly number[];

  /**
   * Compiles the rules of a source file.
   *
   * @param onSurrogateKey called with each text that became a surrogate key
   */
  constructor(context: RuleContext, onSurrogateKey: OnSurrogateKey) {
    this.#exclusions = new Exclusions(context.source, context.header);
    this.#columns = SALE_COLUMNS.map((column) => compileColumn(column, context, onSurrogateKey));
    this.#productName = compileColumn("product_name", context, onSurrogateKey);
    this.#productCategory = compileColumn("product_category", context, onSurrogateKey);
    this.#within = findLineWithins(context.source).map((name) => context.header.find(name)!);
  }

  /** Returns the values whose lines are numbered: one for each `line_within`. */
  keysOf(values: readonly string[]): string[] {
    return this.#within.map((index) => values[index]!.trim());
  }

  /** Reports whether a record is the header again. */
  isHeader(values: readonly string[]): boolean {
    return this.#exclusions.isHeader(values);
  }

  /** Counts a line as the header again. */
  excludeHeader(line: number): void {
    this.#exclude("header", line, undefined);
  }

  /**
   * Maps a record; returns undefined, and counts the line, when it is excluded.
   *
   * @param numbers numbers of the line, one for each `line_within`
   */
  map(values: readonly string[], line: number, numbers: readonly number[]): MappedRow | undefined {
    const record = { values, numbers };
    const rule = this.#exclusions.find(values);
    if (rule !== undefined) {
      this.#exclude(rule, line, this.#columns[SALE_AMOUNT]!(record));
      return undefined;
    }
    const fields = new Array<string>(SALE_COLUMNS.length);
    fields[QUANTITY] = this.#columns[QUANTITY]!(record);
    fields[SALE_AMOUNT] = this.#columns[SALE_AMOUNT]!(record);
    if (isReturn(fields[QUANTITY], fields[SALE_AMOUNT])) {
      this.#exclude("return", line, fields[SALE_AMOUNT]);
      return undefined;
    }
    for (let index = 0; index < fields.length; index++) fields[index] ??= this.#columns[index]!(record);
    return {
      fields,
      productName: this.#productName(record),
      productCategory: this.#productCategory(record),
    };
  }

  #exclude(rule: string, line: number, amount: string | undefined): void {
    let excluded = this.excluded.get(rule);
    if (!excluded) this.excluded.set(rule, excluded = { lines: 0, cents: 0n, firstLine: line });
    excluded.lines++;
    excluded.cents += amount === undefined ? 0n : parseCents(amount) ?? 0n;
  }
}
