/**
 * Columns of a row, from the bytes of a line. Each is prepared first, which changes nothing outside of it, so that a line which one of
 * them must leave to the text mapper leaves no traces. No I/O.
 */
import type { RawLines } from "../chunks/raw_lines.ts";
import {
  addProduct,
  type Found,
  type FoundProduct,
  type Product,
  updateProduct,
} from "../source/record_mapper.ts";
import type { Expression } from "../values/expression.ts";
import { FastEvaluator } from "../values/fast_evaluator.ts";
import { SurrogateKeyBytes } from "../values/ids.ts";
import { normalizeNumber, type NumberStyle } from "../values/number_text.ts";
import { viewOf } from "./bytes.ts";
import { ComputedColumn, type ComputedText, type ExportShape } from "./computed_column.ts";
import type { LineScanner } from "./line_scanner.ts";
import { DATE_BYTES, type PlainDate } from "./plain_date.ts";
import { PlainNumber } from "./plain_number.ts";
import type { IdText } from "./id_text.ts";

const [ZERO, NINE, POINT, COMMA, HYPHEN] = [48, 57, 46, 44, 45];
/** Length of the largest exact amount. */
const MAX_AMOUNT_BYTES = 17;

/** A column of a row. */
export interface PlainColumn {
  /** Computes its value for a line; returns false when the line must be read as text. */
  prepare(line: LineScanner): boolean;
  /** Appends the value. */
  write(line: LineScanner, raw: RawLines): void;
}

/** A text that is computed from few different values. */
export class TextColumn implements PlainColumn {
  readonly #computed: ComputedText;
  /** Whether a value that begins with a hyphen may be a return. */
  readonly #isNumber: boolean;

  /** Creates a column. @param isNumber whether it is the quantity or the amount */
  constructor(computed: ComputedText, isNumber: boolean) {
    this.#computed = computed;
    this.#isNumber = isNumber;
  }

  prepare(line: LineScanner): boolean {
    const text = this.#computed;
    text.find(line);
    return !(this.#isNumber && text.begin < text.end && text.bytes.getUint8(text.begin) === HYPHEN);
  }

  write(_: LineScanner, raw: RawLines): void {
    const { bytes, begin, end } = this.#computed;
    raw.appendBytes(bytes, begin, end);
  }
}

/** A quantity or an amount that a column of the export holds. */
export class NumberColumn implements PlainColumn {
  readonly #column: number;
  readonly #maxDecimals: number;
  readonly #text: TextColumn;
  readonly #number = new PlainNumber();
  #isPlain = false;

  /**
   * Creates a column.
   *
   * @param style how the export writes numbers
   * @param computed the same column for numbers that are not plain
   */
  constructor(column: number, style: NumberStyle | undefined, computed: ComputedText) {
    this.#column = column;
    this.#maxDecimals = style?.decimal === "," ? 0 : 2;
    this.#text = new TextColumn(computed, true);
  }

  prepare(line: LineScanner): boolean {
    const { bytes, starts, ends } = line;
    const number = this.#number;
    this.#isPlain = number.read(bytes, starts[this.#column]!, ends[this.#column]!, POINT) &&
      number.decimals <= this.#maxDecimals;
    return this.#isPlain || this.#text.prepare(line);
  }

  write(line: LineScanner, raw: RawLines): void {
    if (!this.#isPlain) this.#text.write(line, raw);
    else raw.appendBytes(line.view, line.starts[this.#column]!, line.ends[this.#column]!);
  }
}

/** A number of an expression, when the export does not write it plainly. */
interface OddNumber {
  units: number;
  decimals: number;
}

/** Returns what an expression makes of a text; undefined when that needs more than a plain number. */
function readOddNumber(text: string, style: NumberStyle | undefined): OddNumber | undefined {
  const trimmed = text.trim();
  const normal = trimmed === "" ? "0" : normalizeNumber(trimmed, style);
  if (normal === undefined) return undefined;
  const bytes = new TextEncoder().encode(normal);
  const number = new PlainNumber();
  return number.read(bytes, 0, bytes.length, POINT) ? number : undefined;
}

/** What the columns of an expression need. */
export interface ExpressionInputs {
  /** Index of the export's column for each column of the expression. */
  columns: readonly number[];
  /** How the export writes numbers. */
  style: NumberStyle | undefined;
}

/** An amount that an expression gives. */
export class ExpressionColumn implements PlainColumn {
  readonly #columns: readonly number[];
  readonly #mark: number;
  readonly #odd: readonly ComputedColumn<OddNumber | undefined>[];
  readonly #evaluator: FastEvaluator;
  readonly #hasDefault: boolean;
  readonly #number = new PlainNumber();
  readonly #digits = viewOf(new Uint8Array(MAX_AMOUNT_BYTES));
  #begin = 0;

  /** Creates a column. @param hasDefault whether something else counts when all of its columns are empty */
  constructor(
    expression: Expression,
    { columns, style }: ExpressionInputs,
    shape: ExportShape,
    hasDefault: boolean,
  ) {
    this.#columns = columns;
    this.#mark = style?.decimal === "," ? COMMA : POINT;
    this.#evaluator = new FastEvaluator(expression);
    this.#hasDefault = hasDefault;
    this.#odd = columns.map((column) => {
      const compute = ({ values }: { values: readonly string[] }) => readOddNumber(values[column]!, style);
      return new ComputedColumn({ columns: [column], compute }, shape);
    });
  }

  prepare(line: LineScanner): boolean {
    const { bytes, starts, ends } = line;
    const { columnUnits, columnDecimals } = this.#evaluator;
    let isEmpty = true;
    for (let index = 0; index < this.#columns.length; index++) {
      const column = this.#columns[index]!;
      const begin = starts[column]!;
      const end = ends[column]!;
      if (begin === end) {
        columnUnits[index] = columnDecimals[index] = 0;
        continue;
      }
      let number: OddNumber | undefined = this.#number;
      if (!this.#number.read(bytes, begin, end, this.#mark)) {
        if (this.#hasDefault) return false;
        number = this.#odd[index]!.get(line);
        if (!number) return false;
      }
      isEmpty = false;
      columnUnits[index] = number.units;
      columnDecimals[index] = number.decimals;
    }
    if (isEmpty && this.#hasDefault) return false;
    const hundredths = this.#evaluator.hundredths();
    // A negative amount is a return.
    if (hundredths === undefined || hundredths < 0) return false;
    this.#format(hundredths);
    return true;
  }

  write(_: LineScanner, raw: RawLines): void {
    raw.appendBytes(this.#digits, this.#begin, MAX_AMOUNT_BYTES);
  }

  #format(hundredths: number): void {
    const digits = this.#digits;
    let at = MAX_AMOUNT_BYTES;
    let rest = hundredths;
    for (let written = 0; written < 3 || rest > 0; written++) {
      if (written === 2) digits.setUint8(--at, POINT);
      // Whole numbers of 32 bits are divided much faster than others.
      const quotient = rest <= 0x7fffffff ? (rest | 0) / 10 | 0 : Math.floor(rest / 10);
      digits.setUint8(--at, ZERO + rest - quotient * 10);
      rest = quotient;
    }
    this.#begin = at;
  }
}

/** A date. */
export class DateColumn implements PlainColumn {
  readonly #column: number;
  readonly #date: PlainDate;
  readonly #text: TextColumn;
  #isPlain = false;

  /** Creates a column. @param computed the same column for dates that are not plain */
  constructor(column: number, date: PlainDate, computed: ComputedText) {
    this.#column = column;
    this.#date = date;
    this.#text = new TextColumn(computed, false);
  }

  prepare(line: LineScanner): boolean {
    this.#isPlain = this.#date.read(line.bytes, line.starts[this.#column]!, line.ends[this.#column]!);
    return this.#isPlain || this.#text.prepare(line);
  }

  write(line: LineScanner, raw: RawLines): void {
    if (this.#isPlain) raw.appendBytes(this.#date.view, 0, DATE_BYTES);
    else this.#text.write(line, raw);
  }
}

/** Called with each text in UTF-8 that became a surrogate key; both may change afterwards. */
export type OnSurrogateBytes = (key: SurrogateKeyBytes, text: Uint8Array) => void;

/** Ids of up to so many digits are below the first surrogate key. */
const SAFE_DIGITS = 18;

/** Turns ids into numbers. */
class IdNumber {
  /** The number is the first {@linkcode length} bytes, as ASCII. */
  view: DataView;
  length = 0;
  readonly #text: IdText;
  readonly #onSurrogateKey: OnSurrogateBytes;
  readonly #key = new SurrogateKeyBytes();
  readonly #keyView: DataView;
  #textLength = 0;

  constructor(text: IdText, onSurrogateKey: OnSurrogateBytes) {
    this.#text = text;
    this.#onSurrogateKey = onSurrogateKey;
    this.view = text.view;
    this.#keyView = viewOf(this.#key.digits);
  }

  /** Puts the id of a line together; returns false when it must be read as text: also `17850.0` and long numbers. */
  prepare(line: LineScanner): boolean {
    const length = this.#text.write(line);
    this.#textLength = length;
    if (length < 0) return false;
    const { bytes } = this.#text;
    let at = 0;
    while (at < length && bytes[at]! >= ZERO && bytes[at]! <= NINE) at++;
    this.length = at === length ? length : 0;
    if (at === length) return length <= SAFE_DIGITS;
    while (at < length && (bytes[at] === POINT || (bytes[at]! >= ZERO && bytes[at]! <= NINE))) at++;
    return at < length;
  }

  /** Makes it a number, and tells of it when that is a surrogate key. */
  convert(): void {
    if (this.length > 0) {
      this.view = this.#text.view;
      return;
    }
    const text = this.#text.bytes.subarray(0, this.#textLength);
    this.#key.set(text);
    this.#onSurrogateKey(this.#key, text);
    this.view = this.#keyView;
    this.length = this.#keyView.byteLength;
  }
}

/** The id of a sale, which rarely repeats. */
export class SaleIdColumn implements PlainColumn {
  readonly #number: IdNumber;

  /** Creates a column. */
  constructor(text: IdText, onSurrogateKey: OnSurrogateBytes) {
    this.#number = new IdNumber(text, onSurrogateKey);
  }

  prepare(line: LineScanner): boolean {
    return this.#number.prepare(line);
  }

  write(_: LineScanner, raw: RawLines): void {
    const number = this.#number;
    number.convert();
    raw.appendBytes(number.view, 0, number.length);
  }
}

/** The id of a customer, which repeats. Becoming a surrogate key is told of, so it is computed only for a line that is a row. */
export class CustomerColumn implements PlainColumn {
  readonly #computed: ComputedText;
  readonly #find: (line: LineScanner) => DataView | undefined;

  /** Creates a column. @param text the id, if its bytes can be put together */
  constructor(computed: ComputedText, text: IdText | undefined, onSurrogateKey: OnSurrogateBytes) {
    this.#computed = computed;
    const number = text && new IdNumber(text, onSurrogateKey);
    this.#find = (line) => {
      if (!number?.prepare(line)) return undefined;
      number.convert();
      return new DataView(number.view.buffer, number.view.byteOffset, number.length);
    };
  }

  prepare(): boolean {
    return true;
  }

  write(line: LineScanner, raw: RawLines): void {
    const text = this.#computed;
    text.find(line, this.#find);
    raw.appendBytes(text.bytes, text.begin, text.end);
  }
}

/** A product as lines write it, and where it was found. */
export interface PlainProduct extends Product {
  /** Its id as in raw/. */
  view: DataView;
  /** The same product among those that were found since they were last taken. */
  found: FoundProduct | undefined;
  /** Number of times that they had been taken then. */
  taken: number;
}

/** The id of a product, whose name and category are collected. */
export class ProductColumn implements PlainColumn {
  readonly #computed: ComputedColumn<PlainProduct>;
  readonly #found: Found;

  /** Creates a column. */
  constructor(computed: ComputedColumn<PlainProduct>, found: Found) {
    this.#computed = computed;
    this.#found = found;
  }

  prepare(): boolean {
    return true;
  }

  write(line: LineScanner, raw: RawLines): void {
    const product = this.#computed.get(line);
    const { products, taken } = this.#found;
    if (product.taken !== taken) {
      product.found = addProduct(products, product);
      product.taken = taken;
    } else if (product.found && product.found.current !== product) updateProduct(product.found, product);
    raw.appendBytes(product.view, 0, product.view.byteLength);
  }
}
