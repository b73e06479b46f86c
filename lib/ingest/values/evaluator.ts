/** Evaluates expressions exactly: in JavaScript numbers while they are exact, else in quotients of bigints. No I/O. */
import {
  add,
  divide,
  formatExact,
  formatRounded,
  multiply,
  negate,
  parseQuotient,
  type Quotient,
} from "./decimal.ts";
import type { Expression, Operation } from "./expression.ts";
import { normalizeNumber, type NumberStyle } from "./number_text.ts";

/** Numbers up to this size, and sums and products of them that stay below it, are exact as JavaScript numbers. */
const MAX_EXACT = Number.MAX_SAFE_INTEGER;
const MAX_EXACT_DIGITS = 15;
const POWERS_OF_TEN = Array.from({ length: MAX_EXACT_DIGITS + 1 }, (_, exponent) => 10 ** exponent);

const POINT = 46;
const COMMA = 44;

/** Formats whole hundredths. */
function formatCents(cents: number): string {
  const size = Math.abs(cents);
  const fraction = size % 100;
  return `${cents < 0 ? "-" : ""}${(size - fraction) / 100}.${fraction < 10 ? "0" : ""}${fraction}`;
}

/** Evaluates an expression for one record after the other. */
export class Evaluator {
  readonly #program: readonly Operation[];
  readonly #style: NumberStyle | undefined;
  /** Character code of the mark before decimals. */
  readonly #mark: number;
  /** Texts of the columns; plain decimal text once they have been read. */
  readonly #texts: string[];
  /** The columns as whole numbers and how many of their digits are decimals, where they are short enough; NaN elsewhere. */
  readonly #columnUnits: Float64Array;
  readonly #columnDecimals: Uint8Array;
  /** The stack of the fast way, in the same form. */
  readonly #units: Float64Array;
  readonly #decimals: Uint8Array;

  /**
   * Creates an evaluator.
   *
   * @param expression what to evaluate
   * @param style how the export writes numbers
   */
  constructor(readonly expression: Expression, style?: NumberStyle) {
    this.#program = expression.program;
    this.#style = style;
    this.#mark = style?.decimal === "," ? COMMA : POINT;
    this.#texts = expression.columns.map(() => "0");
    this.#columnUnits = new Float64Array(expression.columns.length);
    this.#columnDecimals = new Uint8Array(expression.columns.length);
    this.#units = new Float64Array(expression.program.length);
    this.#decimals = new Uint8Array(expression.program.length);
  }

  /**
   * Returns the amount with two decimals, rounded once, half up; undefined when a value is no number, or for a division by
   * zero.
   *
   * @param values texts of the expression's columns; an empty one is 0
   */
  amount(values: readonly string[]): string | undefined {
    if (!this.#readColumns(values)) return undefined;
    if (this.#runFast()) {
      const cents = this.#roundFast();
      if (cents !== undefined) return formatCents(cents);
    }
    const result = this.#runExact();
    return result && formatRounded(result, 2);
  }

  /**
   * Returns the number, not rounded; undefined when a value is no number, or for a division by zero.
   *
   * @param values texts of the expression's columns; an empty one is 0
   */
  number(values: readonly string[]): string | undefined {
    if (!this.#readColumns(values)) return undefined;
    const result = this.#runExact();
    return result && formatExact(result);
  }

  #readColumns(values: readonly string[]): boolean {
    for (let index = 0; index < values.length; index++) {
      const value = values[index]!;
      if (this.#readPlain(value, this.#mark, index)) {
        this.#texts[index] = this.#mark === POINT ? value : value.replace(",", ".");
        continue;
      }
      const trimmed = value.trim();
      const text = trimmed === "" ? "0" : normalizeNumber(trimmed, this.#style);
      if (text === undefined) return false;
      this.#texts[index] = text;
      if (!this.#readPlain(text, POINT, index)) this.#columnUnits[index] = NaN;
    }
    return true;
  }

  /** Reads a short number of digits and at most one mark before decimals; returns false for any other text. */
  #readPlain(text: string, mark: number, index: number): boolean {
    const length = text.length;
    if (length === 0 || length > MAX_EXACT_DIGITS) return false;
    let units = 0;
    let decimals = 0;
    for (let at = 0; at < length; at++) {
      const code = text.charCodeAt(at);
      if (code >= 48 && code <= 57) units = units * 10 + code - 48;
      else if (code === mark && decimals === 0 && at > 0 && at < length - 1) decimals = length - at - 1;
      else return false;
    }
    this.#columnUnits[index] = units;
    this.#columnDecimals[index] = decimals;
    return true;
  }

  /** Evaluates in numbers; returns false when the result may be inexact. */
  #runFast(): boolean {
    const [units, decimals] = [this.#units, this.#decimals];
    let top = -1;
    for (const operation of this.#program) {
      switch (operation.kind) {
        case "column":
          units[++top] = this.#columnUnits[operation.index]!;
          decimals[top] = this.#columnDecimals[operation.index]!;
          break;
        case "number": {
          const { text } = operation;
          if (text.length > MAX_EXACT_DIGITS) return false;
          const point = text.indexOf(".");
          units[++top] = +text.replace(".", "");
          decimals[top] = point < 0 ? 0 : text.length - point - 1;
          break;
        }
        case "negate":
          units[top] = -units[top]!;
          break;
        case "*": {
          top--;
          units[top]! *= units[top + 1]!;
          decimals[top]! += decimals[top + 1]!;
          break;
        }
        case "+":
        case "-": {
          top--;
          const difference = decimals[top]! - decimals[top + 1]!;
          if (Math.abs(difference) > MAX_EXACT_DIGITS) return false;
          const left = difference < 0 ? units[top]! * POWERS_OF_TEN[-difference]! : units[top]!;
          const right = difference > 0 ? units[top + 1]! * POWERS_OF_TEN[difference]! : units[top + 1]!;
          if (Math.abs(left) > MAX_EXACT || Math.abs(right) > MAX_EXACT) return false;
          units[top] = operation.kind === "+" ? left + right : left - right;
          if (difference < 0) decimals[top] = decimals[top + 1]!;
          break;
        }
        default:
          return false;
      }
      if (!(Math.abs(units[top]!) <= MAX_EXACT)) return false;
    }
    return true;
  }

  /** Returns the result of the fast way in hundredths, rounded half up; undefined when that may be inexact. */
  #roundFast(): number | undefined {
    const value = this.#units[0]!;
    const surplus = this.#decimals[0]! - 2;
    if (surplus === 0) return value;
    if (Math.abs(surplus) > MAX_EXACT_DIGITS) return undefined;
    if (surplus < 0) {
      const cents = value * POWERS_OF_TEN[-surplus]!;
      return Math.abs(cents) <= MAX_EXACT ? cents : undefined;
    }
    const divisor = POWERS_OF_TEN[surplus]!;
    const size = Math.abs(value);
    const rest = size % divisor;
    const cents = (size - rest) / divisor + (2 * rest >= divisor ? 1 : 0);
    return value < 0 ? -cents : cents;
  }

  #runExact(): Quotient | undefined {
    const stack: Quotient[] = [];
    for (const operation of this.#program) {
      if (operation.kind === "column") stack.push(parseQuotient(this.#texts[operation.index]!));
      else if (operation.kind === "number") stack.push(parseQuotient(operation.text));
      else if (operation.kind === "negate") stack.push(negate(stack.pop()!));
      else {
        const right = stack.pop()!;
        const left = stack.pop()!;
        if (operation.kind === "+") stack.push(add(left, right));
        else if (operation.kind === "-") stack.push(add(left, negate(right)));
        else if (operation.kind === "*") stack.push(multiply(left, right));
        else {
          const quotient = divide(left, right);
          if (!quotient) return undefined;
          stack.push(quotient);
        }
      }
    }
    return stack[0];
  }
}
