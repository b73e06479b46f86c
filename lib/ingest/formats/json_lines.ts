/**
 * Reader of JSON lines: one object a line, whose members are the columns. Members of members are named with points, as in
 * `order.id`. No I/O.
 */
import { normalizeName } from "../source/header_names.ts";
import type { OnRecord } from "./csv_records.ts";
import { type DecimalMark, formatNumber, withMark } from "./plain_number.ts";

/**
 * Matches lines with a number that JavaScript would write otherwise: with more than 15 digits, or with a zero behind decimals.
 * Lines that only look like it, such as those with the number in a text, are merely read more slowly.
 */
const NEEDS_SOURCE = /[:,[]\s*-?(?:\d{16}|[\d.]{17}|\d+\.\d*[1-9]0+(?!\d))/;
const PLAIN_DECIMAL = /^-?\d+(?:\.\d+)?$/;
const ZERO_DECIMALS = /\.0+$/;

/** Maximum number of member names that are kept with what they are; objects may have any names, such as dates. */
const MAX_KEPT_NAMES = 10_000;
/** Depth below which members are not listed one by one. */
const MAX_LISTED_DEPTH = 16;

const BYTE_ORDER_MARK = 0xfeff;

/** A number as its text in the line. */
interface RawNumber {
  rawJSON: string;
}

// The types of TypeScript lack this part of ECMAScript.
const { isRawJSON, rawJSON } = JSON as unknown as {
  isRawJSON(value: unknown): value is RawNumber;
  rawJSON(text: string): RawNumber;
};

function keepSource(_key: string, value: unknown, context?: { source?: string }): unknown {
  const source = context?.source;
  const differs = typeof value === "number" && value !== 0 && source !== undefined &&
    String(value) !== source;
  return differs ? rawJSON(source) : value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !isRawJSON(value);
}

/** Parses a line; undefined when it is no object. */
function parseObject(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = NEEDS_SOURCE.test(line) ? JSON.parse(line, keepSource) : JSON.parse(line);
    return isObject(value) ? value : undefined;
  } catch (error) {
    // RangeError: too deep.
    if (error instanceof SyntaxError || error instanceof RangeError) return undefined;
    throw error;
  }
}

/** What a member is: a column, the beginning of the names of columns, both, or neither. */
interface Member {
  index: number | undefined;
  members: Members | undefined;
}

/** The members of the objects in one place, such as those of all `order`. */
class Members {
  readonly #columns: ReadonlyMap<string, number>;
  readonly #prefix: string;
  readonly #kept = new Map<string, Member>();
  /** Members of the last object in order; most objects have the same, and comparing is faster than a look-up. */
  readonly #names: string[] = [];
  readonly #members: Member[] = [];

  constructor(columns: ReadonlyMap<string, number>, prefix: string) {
    this.#columns = columns;
    this.#prefix = prefix;
  }

  /** Returns what the member with a name is, which is this one in its object. */
  find(name: string, position: number): Member {
    if (this.#names[position] === name) return this.#members[position]!;
    const member = this.#kept.get(name) ?? this.#learn(name);
    if (position < MAX_KEPT_NAMES) {
      this.#names[position] = name;
      this.#members[position] = member;
    }
    return member;
  }

  #learn(name: string): Member {
    const path = this.#prefix + normalizeName(name);
    const isPrefix = [...this.#columns.keys()].some((column) => column.startsWith(`${path}.`));
    const member = {
      index: this.#columns.get(path),
      members: isPrefix ? new Members(this.#columns, `${path}.`) : undefined,
    };
    if (this.#kept.size < MAX_KEPT_NAMES) this.#kept.set(name, member);
    return member;
  }
}

/** Reads records from chunks of text. */
export class JsonLinesReader {
  readonly #columns: readonly string[];
  readonly #members: Members;
  readonly #mark: DecimalMark;

  /**
   * Creates a reader.
   *
   * @param columns names of the wanted members, normalized as by `normalizeName`
   * @param decimal mark before the decimals of numbers
   */
  constructor(columns: readonly string[], { decimal = "." }: { decimal?: DecimalMark } = {}) {
    this.#columns = columns;
    this.#members = new Members(new Map(columns.map((column, index) => [column, index])), "");
    this.#mark = decimal;
  }

  /**
   * Reads the lines of a text, without blank ones; returns the incomplete line at its end and its line number.
   *
   * The values are those of the wanted members, in their order. Texts stay as they are; null and what is absent is empty;
   * objects and arrays become JSON. A number is the shortest decimal that reads back the same, but the text of the line where
   * that has more digits: `12345678901234567890` and `0.10` stay, `21.0` and `2.1e1` become `21`. Of members with one name the
   * last one counts. The values of a line that is no object are undefined.
   *
   * @param text whole lines; the last one may lack its end
   * @param firstLine number of its first line
   * @param isLast whether nothing follows
   */
  read(text: string, firstLine: number, isLast: boolean, onRecord: OnRecord): { rest: string; line: number } {
    let line = firstLine;
    let at = 0;
    while (at < text.length) {
      const found = text.indexOf("\n", at);
      if (found < 0 && !isLast) break;
      const end = found < 0 ? text.length : found;
      const start = text.charCodeAt(at) === BYTE_ORDER_MARK ? at + 1 : at;
      const content = text.slice(start, text[end - 1] === "\r" && end > start ? end - 1 : end);
      if (content.startsWith("{") || content.trim() !== "") {
        onRecord(this.#readLine(content), content, line, 1);
      }
      at = end + 1;
      line++;
    }
    return { rest: text.slice(at), line };
  }

  #readLine(content: string): string[] | undefined {
    const object = parseObject(content);
    if (!object) return undefined;
    const values = new Array<string>(this.#columns.length).fill("");
    try {
      this.#collect(object, this.#members, values);
      return values;
    } catch (error) {
      if (error instanceof RangeError) return undefined; // too deep to be written again
      throw error;
    }
  }

  #collect(object: Record<string, unknown>, members: Members, values: string[]): void {
    let position = 0;
    for (const name in object) {
      const { index, members: inner } = members.find(name, position++);
      if (index !== undefined) values[index] = this.#format(object[name]);
      if (inner !== undefined) {
        const value = object[name];
        if (isObject(value)) this.#collect(value, inner, values);
      }
    }
  }

  #format(value: unknown): string {
    switch (typeof value) {
      case "string":
        return value;
      case "number":
        return formatNumber(value, this.#mark);
      case "object":
        if (value === null) return "";
        return isRawJSON(value) ? this.#formatSource(value.rawJSON) : JSON.stringify(value);
      default:
        return String(value);
    }
  }

  #formatSource(source: string): string {
    return PLAIN_DECIMAL.test(source)
      ? withMark(source.replace(ZERO_DECIMALS, ""), this.#mark)
      : formatNumber(Number(source), this.#mark);
  }
}

/**
 * Lists the names of all members in the first lines of a text, in the order in which they appear; members of members with points.
 *
 * @param text whole lines; what is no object is left out
 * @param maxLines number of lines to look at
 */
export function listMembers(text: string, maxLines: number): string[] {
  const names = new Set<string>();
  const list = (object: Record<string, unknown>, prefix: string, depth: number) => {
    for (const [name, value] of Object.entries(object)) {
      const path = prefix + name;
      const isParent = isObject(value) && depth < MAX_LISTED_DEPTH && Object.keys(value).length > 0;
      if (isParent) list(value, `${path}.`, depth + 1);
      else names.add(path);
    }
  };
  for (const line of text.replace(/^\ufeff/, "").split("\n", maxLines)) {
    const object = parseObject(line);
    if (object) list(object, "", 1);
  }
  return [...names];
}
