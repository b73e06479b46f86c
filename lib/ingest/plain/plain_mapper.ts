/** Maps lines of an export to raw rows in bytes: the common ones, many times faster than as text. No I/O. */
import type { RawLines } from "../chunks/raw_lines.ts";
import type { CsvDialect } from "../formats/csv_records.ts";
import { compileColumn, type Compute, findLineWithins, type RuleContext } from "../source/compile_rule.ts";
import { findCurrencyColumn } from "../source/currencies.ts";
import { Exclusions } from "../source/exclusions.ts";
import { namesOf, withDefaults } from "../source/header_names.ts";
import type { Found } from "../source/record_mapper.ts";
import type { TargetColumn } from "../source/rule.ts";
import { DateReader } from "../values/date_text.ts";
import type { IdConverter, IdConverters } from "../values/ids.ts";
import { viewOf } from "./bytes.ts";
import { type Computation, ComputedColumn, ComputedText } from "./computed_column.ts";
import { LineScanner } from "./line_scanner.ts";
import {
  CustomerColumn,
  DateColumn,
  ExpressionColumn,
  NumberColumn,
  type OnSurrogateBytes,
  type PlainColumn,
  type PlainProduct,
  ProductColumn,
  SaleIdColumn,
  TextColumn,
} from "./plain_columns.ts";
import { PlainDate } from "./plain_date.ts";
import { IdText } from "./id_text.ts";

/** How the bytes of an export are written. */
export interface PlainFormat {
  /** Name of its encoding. */
  encoding: string;
  /** How its values are separated. */
  dialect: CsvDialect;
}

/** What a mapper shares with those of other headers. */
export interface PlainContext extends RuleContext {
  /** Converters of ids. */
  ids: IdConverters;
  /** What is found beside rows. */
  found: Found;
  /** Told of the surrogate keys of ids in bytes. */
  onSurrogateKey: OnSurrogateBytes;
}

/** First letters of lines with totals, and the rest of `Total`, in lower case. */
const [LETTER_T, TOTAL] = [116, [116, 111, 116, 97, 108]];
const LOWER_CASE = 32;
const MAX_ASCII = 127;

/** Maps lines of one header. */
export class PlainMapper {
  /** Where the line is that is mapped. */
  readonly line: LineScanner;
  readonly #exclusions: Exclusions;
  readonly #decoder: TextDecoder;
  readonly #checks: readonly ComputedColumn<boolean>[];
  readonly #columns: readonly PlainColumn[];
  /** Columns that tell of surrogate keys when they are computed. */
  readonly #telling: readonly { clear(): void }[];

  private constructor(line: LineScanner, saleId: IdText, format: PlainFormat, context: PlainContext) {
    const { source, header, ids, found } = context;
    const decoder = new TextDecoder(format.encoding, { ignoreBOM: true });
    const shape = { width: header.names.length, decoder };
    this.line = line;
    this.#decoder = decoder;
    this.#exclusions = new Exclusions(source, header);
    this.#checks = this.#exclusions.checks.map(({ column, excludes }) =>
      new ComputedColumn({ columns: [column], compute: ({ values }) => excludes(values[column]!) }, shape)
    );
    const compile = (target: TargetColumn): Computation<string> => ({
      columns: columnsOf(target, context),
      compute: compileColumn(target, context),
    });
    const text = (target: TargetColumn) => new ComputedText(compile(target), shape);
    const customer = new ComputedText(convertId(compile("customer_id"), ids.get("customer_id")!), shape);
    const product = new ComputedColumn(findProduct(context, compile), shape);
    this.#telling = [customer, product];
    const number = (target: "quantity" | "sale_amount"): PlainColumn => {
      const rule = source.columns[target];
      if (rule.kind === "expression" && target === "sale_amount") {
        const columns = rule.expression.columns.map((name) => header.find(name)!);
        const inputs = { columns, style: source.numbers };
        return new ExpressionColumn(rule.expression, inputs, shape, rule.default !== undefined);
      }
      return rule.kind === "column"
        ? new NumberColumn(header.find(rule.column)!, source.numbers, text(target))
        : new TextColumn(text(target), true);
    };
    const { customer_id: customerRule, sale_date: date } = source.columns;
    const customerText = IdText.compile(customerRule, header, isUtf8(format));
    this.#columns = [
      new SaleIdColumn(saleId, context.onSurrogateKey),
      new CustomerColumn(customer, customerText, context.onSurrogateKey),
      new ProductColumn(product, found),
      number("quantity"),
      date.kind === "date"
        ? new DateColumn(header.find(date.column)!, new PlainDate(new DateReader(date)), text("sale_date"))
        : new TextColumn(text("sale_date"), false),
      number("sale_amount"),
      new TextColumn(text("region"), false),
    ];
  }

  /**
   * Compiles the rules of a source file for a header; undefined when they depend on other lines, or need more than the bytes of an
   * export in this format tell.
   */
  static create(format: PlainFormat, context: PlainContext): PlainMapper | undefined {
    const { source, header } = context;
    if (source.fillDown || findLineWithins(source).length > 0) return undefined;
    // Sums by currency are counted by the text mapper only.
    if (findCurrencyColumn(source, header) !== undefined) return undefined;
    const line = LineScanner.create(header.names.length, format.dialect, format.encoding);
    const saleId = IdText.compile(source.columns.sale_id, header, isUtf8(format));
    return line && saleId ? new PlainMapper(line, saleId, format, context) : undefined;
  }

  /** Maps the line that was scanned last; returns false, and has changed nothing, when it must be read as text. */
  map(number: number, raw: RawLines): boolean {
    const { line } = this;
    if (this.#mayBeTotal() || this.#mayBeHeader()) return false;
    for (const check of this.#checks) if (check.get(line)) return false;
    const columns = this.#columns;
    for (let index = 0; index < columns.length; index++) if (!columns[index]!.prepare(line)) return false;
    raw.advance(number);
    for (let index = 0; index < columns.length; index++) {
      if (index > 0) raw.appendComma();
      columns[index]!.write(line, raw);
    }
    raw.endRow();
    return true;
  }

  /** Makes texts that became surrogate keys before be told of again. */
  forget(): void {
    for (const column of this.#telling) column.clear();
  }

  #isEmpty(column: number): boolean {
    return this.line.starts[column] === this.line.ends[column] || this.line.mayBeginBlank(column);
  }

  #mayBeTotal(): boolean {
    const { bytes, starts, ends } = this.line;
    const columns = this.#exclusions.saleIdColumns;
    for (let at = 1; at < columns.length; at++) if (!this.#isEmpty(columns[at]!)) return false;
    if (this.#isEmpty(columns[0]!)) return true;
    let first = 0;
    while (starts[first] === ends[first]) first++;
    const begin = starts[first]!;
    const byte = bytes[begin]!;
    if (byte > MAX_ASCII || this.line.mayBeginBlank(first)) return true;
    return (byte | LOWER_CASE) === LETTER_T &&
      TOTAL.every((letter, at) => (bytes[begin + at]! | LOWER_CASE) === letter);
  }

  #mayBeHeader(): boolean {
    const { bytes, starts, ends } = this.line;
    const begin = starts[0]!;
    const end = ends[0]!;
    if (begin < end && !this.#exclusions.mayBeginHeader(bytes[begin]!)) return false;
    return this.#exclusions.mayBeHeader(this.#decoder.decode(bytes.subarray(begin, end)));
  }
}

/** Returns the indexes of all columns on which a column depends. */
function columnsOf(target: TargetColumn, { source, header }: RuleContext): number[] {
  const rule = source.columns[target];
  if (!rule) return [];
  const names = withDefaults(rule).map(namesOf).flatMap(({ columns, texts }) => [...columns, ...texts]);
  return [...new Set(names.flatMap((name) => header.find(name) ?? []))];
}

function isUtf8({ encoding }: PlainFormat): boolean {
  return encoding === "utf-8";
}

function convertId({ columns, compute }: Computation<string>, converter: IdConverter): Computation<string> {
  return { columns, compute: (line) => converter.convert(compute(line)) };
}

function findProduct(
  { ids }: PlainContext,
  compile: (target: TargetColumn) => Computation<string>,
): Computation<PlainProduct> {
  const [id, name, category] = (["product_id", "product_name", "product_category"] as const).map(compile);
  const compute = (line: Parameters<Compute>[0]): PlainProduct => {
    const sku = id!.compute(line);
    const number = ids.get("product_id")!.convert(sku);
    return {
      id: number,
      sku,
      name: name!.compute(line),
      category: category!.compute(line),
      view: viewOf(new TextEncoder().encode(number)),
      found: undefined,
      taken: -1,
    };
  };
  return { columns: [...new Set([...id!.columns, ...name!.columns, ...category!.columns])], compute };
}
