/** A minimal SQL scanner: separates an INSERT from the rows that follow it, and finds FORMAT clauses. */
import type { Bytes } from "./bytes.ts";

/** A word, number, quoted text or symbol. */
interface Token {
  text: string;
  /** Byte offsets. */
  start: number;
  end: number;
  /** Number of open parentheses. */
  depth: number;
}

/** An INSERT that is followed by rows. */
export interface InsertText {
  /** The statement without its FORMAT clause. */
  statement: string;
  /** Format of the rows. */
  format: string;
  /** Byte offset of the first row. */
  rowsStart: number;
}

const decoder = new TextDecoder();
/** Maps each byte to one character, so that string indexes are byte offsets. */
const latin1 = new TextDecoder("latin1");
/** Matches a comment, quoted text, word, number or symbol. An unclosed comment or quote extends to the end. */
const TOKEN = new RegExp(
  [
    /--[^\n]*|#[ !][^\n]*|\/\*[^]*?(?:\*\/|$)/,
    /'(?:[^'\\]|\\[^]|'')*'?|"(?:[^"\\]|\\[^])*"?|`(?:[^`\\]|\\[^])*`?/,
    /[A-Za-z_]\w*|\d\w*|\S/,
  ].map(({ source }) => source).join("|"),
  "y",
);
const BLANK = /\s*/y;

/** Yields the tokens of a text without comments; quoted text is one token, including its quotes. */
function* tokenize(bytes: Bytes): Generator<Token> {
  const text = latin1.decode(bytes);
  let depth = 0;
  for (let at = 0;;) {
    BLANK.lastIndex = at;
    BLANK.exec(text);
    TOKEN.lastIndex = BLANK.lastIndex;
    const found = TOKEN.exec(text)?.[0];
    if (found === undefined) return;
    const start = BLANK.lastIndex;
    at = start + found.length;
    if (/^(--|#[ !]|\/\*)/.test(found)) continue;
    if (found === ")") depth--;
    yield { text: found, start, end: at, depth };
    if (found === "(") depth++;
  }
}

/** Returns where rows start after `FORMAT name`: after the end of the line, or after blanks within the line. */
function findRowsStart(bytes: Bytes, nameEnd: number): number {
  let at = nameEnd;
  const is = (...characters: string[]) =>
    at < bytes.length && characters.includes(String.fromCharCode(bytes[at] ?? 0));
  while (is(" ", "\t", "\f")) at++;
  if (is("\r")) at++;
  if (is("\n")) at++;
  return at;
}

/**
 * Parses an INSERT that is followed by rows. Returns undefined for any other statement, including INSERT … SELECT and
 * INSERT … VALUES: the engine parses those.
 *
 * @param fallback the format of an INSERT without a FORMAT clause
 */
export function parseInsert(bytes: Bytes, fallback: string): InsertText | undefined {
  let isInsert = false;
  let previous: Token | undefined;
  for (const token of tokenize(bytes)) {
    const word = token.depth === 0 ? token.text.toUpperCase() : "";
    if (previous === undefined) {
      if (word !== "INSERT") return undefined;
      isInsert = true;
    } else if (
      word === "VALUES" || word === "SELECT" || word === "WITH" || word === "WATCH" || word === ";"
    ) {
      return undefined;
    } else if (previous.depth === 0 && previous.text.toUpperCase() === "FORMAT" && /^[A-Z]/.test(word)) {
      return {
        statement: decoder.decode(bytes.subarray(0, previous.start)),
        format: token.text,
        rowsStart: findRowsStart(bytes, token.end),
      };
    }
    previous = token;
  }
  if (!isInsert) return undefined;
  return { statement: decoder.decode(bytes), format: fallback, rowsStart: bytes.length };
}

/** Returns the format in a query's FORMAT clause; undefined when it has none. */
export function findFormat(bytes: Bytes): string | undefined {
  let format: string | undefined;
  let previous = "";
  for (const { text, depth } of tokenize(bytes)) {
    if (depth > 0) {
      previous = "";
      continue;
    }
    if (previous === "FORMAT" && /^[A-Za-z]/.test(text)) format = text;
    previous = text.toUpperCase();
  }
  return format;
}
