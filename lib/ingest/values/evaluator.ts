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
import { FastEvaluator, MAX_EXACT_DIGITS } from "./fast_evaluator.ts";
import { normalizeNumber, type NumberStyle } from "./number_text.ts";

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
  readonly #fast: FastEvaluator;

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
    this.#fast = new FastEvaluator(expression);
  }

  /**
   * Returns the amount with two decimals, rounded once, half up; undefined when a value is no number, or for a division by
   * zero.
   *
   * @param values texts of the expression's columns; an empty one is 0
   */
  amount(values: readonly string[]): string | undefined {
    if (!this.#readColumns(values)) return undefined;
    const cents = this.#fast.hundredths();
    if (cents !== undefined) return formatCents(cents);
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
      if (!this.#readPlain(text, POINT, index)) this.#fast.columnUnits[index] = NaN;
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
    this.#fast.columnUnits[index] = units;
    this.#fast.columnDecimals[index] = decimals;
    return true;
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
