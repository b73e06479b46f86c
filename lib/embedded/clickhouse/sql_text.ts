/**
 * Just enough reading of SQL text to tell a statement from the rows behind it, and to see which format it
 * names.
 */

type Bytes = Uint8Array<ArrayBuffer>;

/** A word or a sign of the text outside of quotes and comments. */
interface Token {
  text: string;
  /** Byte offsets. */
  start: number;
  end: number;
  /** How many parentheses are open. */
  depth: number;
}

/** An INSERT with rows in a format behind it. */
export interface InsertText {
  /** The statement without its FORMAT clause. */
  statement: string;
  format: string;
  /** Byte offset of the first row. */
  rowsFrom: number;
}

const decoder = new TextDecoder();
/** One byte, one character: positions in the string are byte offsets. */
const latin1 = new TextDecoder("latin1");
/** Comments, quoted text, words, numbers, signs. What is not closed goes on to the end. */
const TOKEN = new RegExp(
  [
    /--[^\n]*|#[ !][^\n]*|\/\*[^]*?(?:\*\/|$)/,
    /'(?:[^'\\]|\\[^]|'')*'?|"(?:[^"\\]|\\[^])*"?|`(?:[^`\\]|\\[^])*`?/,
    /[A-Za-z_]\w*|\d\w*|\S/,
  ].map(({ source }) => source).join("|"),
  "y",
);
const BLANK = /\s*/y;

/** The tokens of a text, without comments; quoted text counts as one token that begins with its quote. */
export function* tokens(bytes: Bytes): Generator<Token> {
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

/** Where rows begin after `FORMAT name`: behind the first line end, or behind blanks when there is none. */
function rowsFrom(bytes: Bytes, nameEnd: number): number {
  let at = nameEnd;
  const is = (...characters: string[]) =>
    at < bytes.length && characters.includes(String.fromCharCode(bytes[at] ?? 0));
  while (is(" ", "\t", "\f")) at++;
  if (is("\r")) at++;
  if (is("\n")) at++;
  return at;
}

/**
 * Reads an INSERT that takes its rows from the data behind it. Everything else, also an INSERT that computes
 * its rows or has them as VALUES, is for the engine to read: the answer is undefined.
 *
 * @param fallback the format of an INSERT that names none
 */
export function readInsert(bytes: Bytes, fallback: string): InsertText | undefined {
  let inserts = false;
  let previous: Token | undefined;
  for (const token of tokens(bytes)) {
    const word = token.depth === 0 ? token.text.toUpperCase() : "";
    if (previous === undefined) {
      if (word !== "INSERT") return undefined;
      inserts = true;
    } else if (
      word === "VALUES" || word === "SELECT" || word === "WITH" || word === "WATCH" || word === ";"
    ) {
      return undefined;
    } else if (previous.depth === 0 && previous.text.toUpperCase() === "FORMAT" && /^[A-Z]/.test(word)) {
      return {
        statement: decoder.decode(bytes.subarray(0, previous.start)),
        format: token.text,
        rowsFrom: rowsFrom(bytes, token.end),
      };
    }
    previous = token;
  }
  if (!inserts) return undefined;
  return { statement: decoder.decode(bytes), format: fallback, rowsFrom: bytes.length };
}

/** The format that a query names in its own FORMAT clause. */
export function namedFormat(bytes: Bytes): string | undefined {
  let format: string | undefined;
  let previous = "";
  for (const { text, depth } of tokens(bytes)) {
    if (depth > 0) {
      previous = "";
      continue;
    }
    if (previous === "FORMAT" && /^[A-Za-z]/.test(text)) format = text;
    previous = text.toUpperCase();
  }
  return format;
}
