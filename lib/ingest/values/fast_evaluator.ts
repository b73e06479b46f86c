/** Evaluates expressions in JavaScript numbers while they are exact. No I/O. */
import type { Expression, Operation } from "./expression.ts";

/** Numbers up to this size, and sums and products of them that stay below it, are exact as JavaScript numbers. */
const MAX_EXACT = Number.MAX_SAFE_INTEGER;

/** Any number of so many digits is exact as a JavaScript number. */
export const MAX_EXACT_DIGITS = 15;

const POWERS_OF_TEN = Array.from({ length: MAX_EXACT_DIGITS + 1 }, (_, exponent) => 10 ** exponent);

/** Evaluates an expression for one record after the other. */
export class FastEvaluator {
  /** The columns as whole numbers, and how many of their digits are decimals; NaN where a number is too long. */
  readonly columnUnits: Float64Array;
  /** Decimals of {@linkcode columnUnits}. */
  readonly columnDecimals: Uint8Array;
  readonly #program: readonly Operation[];
  /** The stack, in the same form. */
  readonly #units: Float64Array;
  readonly #decimals: Uint8Array;

  /** Creates an evaluator. */
  constructor(expression: Expression) {
    this.#program = expression.program;
    this.columnUnits = new Float64Array(expression.columns.length);
    this.columnDecimals = new Uint8Array(expression.columns.length);
    this.#units = new Float64Array(expression.program.length);
    this.#decimals = new Uint8Array(expression.program.length);
  }

  /** Returns the result in hundredths, rounded once, half up; undefined when it may be inexact. */
  hundredths(): number | undefined {
    return this.#run() ? this.#round() : undefined;
  }

  /** Evaluates in numbers; returns false when the result may be inexact. */
  #run(): boolean {
    const units = this.#units;
    const decimals = this.#decimals;
    let top = -1;
    for (const operation of this.#program) {
      switch (operation.kind) {
        case "column":
          units[++top] = this.columnUnits[operation.index]!;
          decimals[top] = this.columnDecimals[operation.index]!;
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

  /** Returns the result in hundredths, rounded half up; undefined when that may be inexact. */
  #round(): number | undefined {
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
}
