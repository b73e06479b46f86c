/**
 * Reader of delimited text. A line is a record unless a quoted value continues on the next line. A quote that opens no valid
 * value is an ordinary character. Both cases are reported as remarks. No I/O.
 */

/** How the text is written. */
export interface CsvDialect {
  /** One character. */
  delimiter: string;
  /**
   * What a `"` means: `csv`, at the start of a value it quotes it, over lines if need be; `line`, only when the value also ends
   * with one on the same line, as in tab-separated files; `none`, nothing.
   */
  quote: "csv" | "line" | "none";
}

/**
 * Receives a record, or a line that cannot be read as one.
 *
 * @param values its values; undefined when they are not as many as the header's
 * @param text its text, over all of its lines
 * @param line the line on which it begins, counted from 1
 * @param lines number of its lines
 * @returns `false` to read no further
 */
export type OnRecord = (
  values: string[] | undefined,
  text: string,
  line: number,
  lines: number,
) => void | false;

/** A quote that the user should check. */
export interface QuoteRemark {
  /** `spans`: a quoted value goes over lines; `lone`: a `"` begins a value that has no end, and was taken for a character. */
  kind: "spans" | "lone";
  /** First line. */
  line: number;
  /** Last line. */
  lastLine: number;
}

/** Maximum length of a record in characters; a quote that is not closed within it is an ordinary character. */
export const MAX_RECORD_CHARACTERS = 1024 * 1024;

const QUOTE = '"';

/** Minimum number of columns at which a line that fits is evidence that an unclosed quote above it is an ordinary character. */
const MIN_TELLING_COLUMNS = 3;

/** Maximum number of quotes that are tried as the end of a value: each costs as much as the value is long. */
const MAX_ATTEMPTS = 100;

function isBlank(code: number, delimiter: string): boolean {
  return (code === 32 || code === 9 || code === 0xa0) && delimiter.charCodeAt(0) !== code;
}

/** Returns where blanks end. */
function skipBlanks(text: string, from: number, delimiter: string): number {
  let at = from;
  while (at < text.length && isBlank(text.charCodeAt(at), delimiter)) at++;
  return at;
}

/** Reports whether a value ends here: at the delimiter or the end of the text, after blanks. */
function endsValue(text: string, at: number, delimiter: string): boolean {
  const next = skipBlanks(text, at, delimiter);
  return next === text.length || text[next] === delimiter;
}

/**
 * Splits a text with quotes; undefined when a quoted value has no end in it.
 *
 * A quote ends a value only when the delimiter or the end of the text follows; elsewhere it is a character.
 *
 * @param hasBackslashes whether a quote within a value is written as `\"` instead of `""`
 */
function splitQuoted(text: string, { delimiter }: CsvDialect, hasBackslashes = false): string[] | undefined {
  const values: string[] = [];
  let at = 0;
  for (;;) {
    const start = skipBlanks(text, at, delimiter);
    if (text[start] !== QUOTE) {
      const end = text.indexOf(delimiter, at);
      values.push(end < 0 ? text.slice(at) : text.slice(at, end));
      if (end < 0) return values;
      at = end + 1;
      continue;
    }
    let value = "";
    let from = start + 1;
    let end = -1;
    for (let quote = text.indexOf(QUOTE, from); quote >= 0; quote = text.indexOf(QUOTE, from)) {
      const escaped = quote > start + 1 && text[quote - 1] === "\\";
      if (hasBackslashes && escaped) {
        value += text.slice(from, quote - 1) + QUOTE;
        from = quote + 1;
      } else if (text[quote + 1] === QUOTE && !hasBackslashes) {
        value += text.slice(from, quote + 1);
        from = quote + 2;
      } else if (endsValue(text, quote + 1, delimiter)) {
        value += text.slice(from, quote);
        end = skipBlanks(text, quote + 1, delimiter);
        break;
      } else {
        value += text.slice(from, escaped ? quote - 1 : quote) + QUOTE;
        from = quote + 1;
      }
    }
    if (end < 0) return undefined;
    values.push(value);
    if (end === text.length) return values;
    at = end + 1;
  }
}

/** Reports whether a quote may end a value from here on. */
function hasClosingQuote(text: string, from: number, { delimiter }: CsvDialect): boolean {
  for (let quote = text.indexOf(QUOTE, from); quote >= 0; quote = text.indexOf(QUOTE, quote + 1)) {
    if (endsValue(text, quote + 1, delimiter)) return true;
  }
  return false;
}

/** Splits a line of which a value is quoted only when it ends with a quote, too. */
function splitLineQuoted(text: string, { delimiter }: CsvDialect): string[] {
  return text.split(delimiter).map((value) => {
    const trimmed = value.trim();
    return trimmed.length >= 2 && trimmed.startsWith(QUOTE) && trimmed.endsWith(QUOTE)
      ? trimmed.slice(1, -1).replaceAll('""', QUOTE)
      : value;
  });
}

/** Reads records from chunks of text. */
export class CsvReader {
  readonly #dialect: CsvDialect;
  readonly #wellQuoted: RegExp;
  /** Number of values of a record; 0 while the header is not known: every number is right. */
  columns = 0;
  /** Remarks so far. */
  readonly remarks: QuoteRemark[] = [];

  /** Creates a reader. */
  constructor(dialect: CsvDialect) {
    this.#dialect = dialect;
    this.#wellQuoted = wellQuoted(dialect.delimiter);
  }

  /**
   * Reads the records of a text, without blank lines; returns the incomplete record at its end and its line number.
   *
   * @param text whole lines; the last one may lack its end
   * @param firstLine number of its first line
   * @param isLast whether nothing follows
   */
  read(text: string, firstLine: number, isLast: boolean, onRecord: OnRecord): { rest: string; line: number } {
    const { quote } = this.#dialect;
    const mayQuote = quote !== "none" && text.includes(QUOTE);
    let line = firstLine;
    let at = 0;
    while (at < text.length) {
      const end = lineEnd(text, at);
      if (end === text.length && !isLast) break;
      const content = lineContent(text, at, end);
      if (mayQuote && content.includes(QUOTE)) {
        const record = this.#readQuoted(text, at, line, isLast);
        if (!record) break;
        at = record.next;
        const first = line;
        line += record.lines;
        if (onRecord(record.values, record.text, first, record.lines) === false) break;
        continue;
      }
      at = end + 1;
      line++;
      if (
        content.trim() !== "" &&
        onRecord(this.#fit(content.split(this.#dialect.delimiter)), content, line - 1, 1) === false
      ) break;
    }
    return { rest: text.slice(at), line };
  }

  /** Returns values when they are as many as the header's, without empty ones behind them; else undefined. */
  #fit(values: string[]): string[] | undefined {
    if (this.columns === 0) return values;
    while (values.length > this.columns && values.at(-1)!.trim() === "") values.pop();
    return values.length === this.columns ? values : undefined;
  }

  /** Reads a record whose first line has a quote; undefined when the text ends before it does. */
  #readQuoted(
    text: string,
    start: number,
    line: number,
    isLast: boolean,
  ): { values: string[] | undefined; text: string; lines: number; next: number } | undefined {
    let end = lineEnd(text, start);
    const first = lineContent(text, start, end);
    const one = (values: string[] | undefined) => ({
      values,
      text: first,
      lines: 1,
      next: lineEnd(text, start) + 1,
    });
    if (this.#dialect.quote === "line") return one(this.#fit(splitLineQuoted(first, this.#dialect)));
    const whole = splitQuoted(first, this.#dialect);
    const fitting = whole && this.#fit(whole);
    if (fitting) return one(fitting);
    // As Spark writes quotes within values.
    const escaped = first.includes('\\"') ? splitQuoted(first, this.#dialect, true) : undefined;
    if (escaped && this.columns > 0 && this.#fit(escaped)) return one(this.#fit(escaped));
    if (whole) return one(undefined);
    const plain = this.#fit(first.split(this.#dialect.delimiter));
    let lines = 1;
    for (let attempts = 0; end < text.length && end - start <= MAX_RECORD_CHARACTERS;) {
      const next = lineEnd(text, end + 1);
      if (next >= text.length && !isLast) return undefined;
      // A line that is a record by itself is no part of a value: the quote above it is stray.
      if (this.#isRecord(lineContent(text, end + 1, next))) break;
      lines++;
      const longer = lineContent(text, start, next);
      const mayClose = hasClosingQuote(longer, end - start, this.#dialect);
      if (mayClose && ++attempts > MAX_ATTEMPTS) break;
      const values = mayClose ? splitQuoted(longer, this.#dialect) : undefined;
      end = next;
      if (!values) continue;
      this.remarks.push({ kind: "spans", line, lastLine: line + lines - 1 });
      return { values: this.#fit(values), text: longer, lines, next: end + 1 };
    }
    if (end >= text.length && !isLast) return undefined;
    this.remarks.push({ kind: "lone", line, lastLine: line });
    return one(plain);
  }

  /** Reports whether a line is a record by itself, whose quotes all stand around values or are escaped in them. */
  #isRecord(content: string): boolean {
    if (this.columns < MIN_TELLING_COLUMNS) return false;
    if (!content.includes(QUOTE)) return this.#fit(content.split(this.#dialect.delimiter)) !== undefined;
    if (!this.#wellQuoted.test(content)) return false;
    const values = splitQuoted(content, this.#dialect, content.includes('\\"'));
    return values !== undefined && this.#fit(values) !== undefined;
  }
}

/** Returns a pattern for a line of plain values and quoted ones, in which quotes are doubled or follow a backslash. */
function wellQuoted(delimiter: string): RegExp {
  const mark = `\\u{${delimiter.codePointAt(0)!.toString(16)}}`;
  const blanks = delimiter === "\t" ? "[ \\u{a0}]*" : "[ \\t\\u{a0}]*";
  const value = `(?:${blanks}"(?:[^"\\\\]|\\\\.|"")*"${blanks}|[^"${mark}]*)`;
  return new RegExp(`^${value}(?:${mark}${value})*$`, "u");
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf("\n", from);
  return end < 0 ? text.length : end;
}

function trimReturn(text: string, end: number): number {
  return end > 0 && text[end - 1] === "\r" ? end - 1 : end;
}

/** Returns a line without its end, and without a byte order mark. */
function lineContent(text: string, start: number, end: number): string {
  return text.slice(
    text.charCodeAt(start) === 0xfeff ? start + 1 : start,
    Math.max(start, trimReturn(text, end)),
  );
}
