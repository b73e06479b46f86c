/** Expressions of a source file, such as `[Price] * [Quantity] - [Discount]`: their grammar. No I/O. */
/** An operation of a postfix program. */
export type Operation =
  | { kind: "column"; index: number }
  | { kind: "number"; text: string }
  | { kind: "+" | "-" | "*" | "/" | "negate" };

/** A parsed expression. */
export interface Expression {
  /** The text that was parsed. */
  readonly text: string;
  /** Names of its columns, each once, in the order of their first use. */
  readonly columns: readonly string[];
  /** In postfix order; a column's index is that of its name. */
  readonly program: readonly Operation[];
}

/** A mistake in an expression. */
export class ExpressionError extends Error {
  /** Name of the class. */
  override name = "ExpressionError";

  /**
   * Creates an error.
   *
   * @param message what is expected
   * @param offset where, in characters from the start of the expression
   */
  constructor(message: string, readonly offset: number) {
    super(message);
  }
}

/** Reports whether a text is meant as an expression, not as the name of a column. */
export function looksLikeExpression(text: string): boolean {
  return /^[\s(+\-]*(?:\[|\d+(?:\.\d+)?\s*[-+*/].*\[)/.test(text);
}

interface Token {
  kind: "column" | "number" | "+" | "-" | "*" | "/" | "(" | ")" | "end";
  text: string;
  offset: number;
}

/** A column; `]` in its name is written twice. */
const COLUMN = /\[((?:[^\]]|\]\])*)\]/;
const TOKEN = new RegExp(`\\s*(?:${COLUMN.source}|(\\d+(?:\\.\\d+)?)|([-+*/()]))`, "y");

function readName(escaped: string): string {
  return escaped.replaceAll("]]", "]").trim();
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  for (;;) {
    const at = TOKEN.lastIndex;
    const found = TOKEN.exec(text);
    if (!found) {
      const offset = at + text.slice(at).search(/\S|$/);
      if (offset < text.length) throw unexpected(text, offset);
      return [...tokens, { kind: "end", text: "", offset }];
    }
    const [whole, column, number, mark] = found;
    const offset = at + whole.search(/\S/);
    if (column !== undefined) tokens.push({ kind: "column", text: readName(column), offset });
    else if (number !== undefined) tokens.push({ kind: "number", text: number, offset });
    else tokens.push({ kind: mark as Token["kind"], text: mark!, offset });
  }
}

function unexpected(text: string, offset: number): ExpressionError {
  const character = String.fromCodePoint(text.codePointAt(offset)!);
  if (character === "[") return new ExpressionError("[ has no ]", offset);
  return new ExpressionError(
    `${character} is unexpected; an expression has [columns], numbers, + - * / ( )`,
    offset,
  );
}

/** A recursive-descent parser: sum = product ([+-] product)*, product = factor ([*\/] factor)*, factor = -factor | (sum) | value. */
class Parser {
  readonly #tokens: Token[];
  readonly #columns: string[] = [];
  readonly #program: Operation[] = [];
  #at = 0;

  constructor(readonly text: string) {
    this.#tokens = tokenize(text);
  }

  parse(): Expression {
    this.#sum();
    if (this.#next.kind !== "end") throw this.#error("expected an operator");
    if (this.#columns.length === 0) {
      throw new ExpressionError("it has no column; give a constant as {value: …}", 0);
    }
    return { text: this.text, columns: this.#columns, program: this.#program };
  }

  get #next(): Token {
    return this.#tokens[this.#at]!;
  }

  #error(message: string): ExpressionError {
    const { kind, text, offset } = this.#next;
    const found = kind === "end" ? "at its end" : `at ${kind === "column" ? `[${text}]` : text}`;
    return new ExpressionError(`${message} ${found}`, offset);
  }

  #binary(operators: string, operand: () => void): void {
    operand();
    while (operators.includes(this.#next.kind)) {
      const { kind } = this.#tokens[this.#at++]!;
      operand();
      this.#program.push({ kind: kind as "+" });
    }
  }

  #sum(): void {
    this.#binary("+-", () => this.#binary("*/", () => this.#factor()));
  }

  #factor(): void {
    const { kind, text, offset } = this.#next;
    if (kind === "column") {
      if (text === "") throw new ExpressionError("[] names no column", offset);
      if (!this.#columns.includes(text)) this.#columns.push(text);
      this.#program.push({ kind: "column", index: this.#columns.indexOf(text) });
      this.#at++;
    } else if (kind === "number") {
      this.#program.push({ kind: "number", text });
      this.#at++;
    } else if (kind === "-") {
      this.#at++;
      this.#factor();
      this.#program.push({ kind: "negate" });
    } else if (kind === "(") {
      this.#at++;
      this.#sum();
      if (this.#next.kind !== ")") throw this.#error("expected )");
      this.#at++;
    } else throw this.#error("expected a column or a number");
  }
}

/**
 * Parses an expression: `+ - * / ( )`, numbers with a decimal point, and columns in brackets.
 *
 * @throws {ExpressionError} when it cannot be parsed
 */
export function parseExpression(text: string): Expression {
  return new Parser(text).parse();
}

/** Returns the text of an expression with values in place of its columns, in the order of its columns. */
export function substituteValues({ text, columns }: Expression, values: readonly string[]): string {
  const pattern = new RegExp(COLUMN.source, "g");
  return text.replace(pattern, (_, name: string) => values[columns.indexOf(readName(name))]!);
}
