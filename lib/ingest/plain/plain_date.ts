/** Reads dates from bytes, in formats of digits and marks. No I/O. */
import { isValidDate } from "../../domain/dates.ts";
import { splitFormat } from "../values/date_format.ts";
import type { DateReader } from "../values/date_text.ts";
import { viewOf } from "./bytes.ts";

const [ZERO, NINE, HYPHEN, SPACE] = [48, 57, 45, 32];
/** Length of `YYYY-MM-DD`. */
export const DATE_BYTES = 10;

type Part =
  | { field: "year" | "month" | "day" | "hour" | "minute" | "second"; min: number; max: number }
  | { field: "literal"; byte: number };

/** Tokens, with the number of digits that they may have. */
const TOKENS: Readonly<Record<string, Part>> = {
  yyyy: { field: "year", min: 4, max: 4 },
  MM: { field: "month", min: 2, max: 2 },
  LL: { field: "month", min: 2, max: 2 },
  M: { field: "month", min: 1, max: 2 },
  L: { field: "month", min: 1, max: 2 },
  dd: { field: "day", min: 2, max: 2 },
  d: { field: "day", min: 1, max: 2 },
  HH: { field: "hour", min: 2, max: 2 },
  H: { field: "hour", min: 1, max: 2 },
  mm: { field: "minute", min: 2, max: 2 },
  m: { field: "minute", min: 1, max: 2 },
  ss: { field: "second", min: 2, max: 2 },
  s: { field: "second", min: 1, max: 2 },
};

/** The data contract's forms; a time may follow each. */
const USUAL_FORMATS = ["yyyy-MM-dd", "dd.MM.yyyy", "yyyy/MM/dd"];
const USUAL_TIMES = ["", " HH:mm:ss", "'T'HH:mm:ss", " HH:mm", "'T'HH:mm"];

/** Returns the parts of a format; undefined when it has other tokens, or other literals than ASCII marks. */
function compile(format: string): Part[] | undefined {
  const parts: Part[] = [];
  for (const { text, isLiteral } of splitFormat(format)) {
    const token = TOKENS[text];
    if (isLiteral) {
      for (const mark of text) {
        const byte = mark.charCodeAt(0);
        if (byte < SPACE || byte > 0x7e) return undefined;
        parts.push({ field: "literal", byte });
      }
    } else if (token) parts.push(token);
    else return undefined;
  }
  return parts;
}

/** Reads one date after the other. Leaves what it cannot read to a {@linkcode DateReader}, which knows all formats. */
export class PlainDate {
  /** The last date that was read, as `YYYY-MM-DD`. */
  readonly text: Uint8Array = new Uint8Array(DATE_BYTES);
  /** The same. */
  readonly view: DataView = viewOf(this.text);
  readonly #reader: DateReader;
  /** Formats to try. */
  readonly #formats: readonly (readonly Part[])[];
  #year = 0;
  #month = 0;
  #day = 0;
  #hour = 0;
  #minute = 0;
  #second = 0;
  #hasTime = false;

  /** Compiles the formats of a reader. */
  constructor(reader: DateReader) {
    this.#reader = reader;
    const { formats } = reader.rules;
    const usual = USUAL_FORMATS.flatMap((date) => USUAL_TIMES.map((time) => compile(date + time)!));
    // Of several formats only the first, because a text may fit more than one of them.
    const first = formats.length > 0 ? compile(formats[0]!) : undefined;
    this.#formats = formats.length === 0 ? usual : first ? [first] : [];
  }

  /** Reads a date; returns false when it must be read as text. */
  read(bytes: Uint8Array, begin: number, end: number): boolean {
    for (const format of this.#formats) if (this.#match(format, bytes, begin, end)) return this.#resolve();
    return false;
  }

  #match(format: readonly Part[], bytes: Uint8Array, begin: number, end: number): boolean {
    let at = begin;
    this.#hour = this.#minute = this.#second = 0;
    this.#hasTime = false;
    for (const part of format) {
      if (part.field === "literal") {
        if (bytes[at++] !== part.byte || at > end) return false;
        continue;
      }
      let value = 0;
      const from = at;
      const last = Math.min(end, at + part.max);
      while (at < last && bytes[at]! >= ZERO && bytes[at]! <= NINE) value = value * 10 + bytes[at++]! - ZERO;
      if (at - from < part.min) return false;
      switch (part.field) {
        case "year":
          this.#year = value;
          break;
        case "month":
          this.#month = value;
          break;
        case "day":
          this.#day = value;
          break;
        case "hour":
          this.#hour = value;
          this.#hasTime = true;
          break;
        case "minute":
          this.#minute = value;
          break;
        case "second":
          this.#second = value;
          break;
      }
    }
    return at === end;
  }

  #resolve(): boolean {
    const year = this.#year;
    const month = this.#month;
    const day = this.#day;
    const hour = this.#hour;
    const minute = this.#minute;
    const second = this.#second;
    if (!this.#hasTime || this.#reader.rules.timeZone === undefined) {
      if (!isValidDate(year, month, day) || hour > 23 || minute > 59 || second > 59) return false;
      this.#write(year, month, day);
      return true;
    }
    const time = { hour, minute, second, hasTime: true, offset: undefined };
    const date = this.#reader.resolve(year, month, day, time);
    if (date === undefined || date.length !== DATE_BYTES) return false;
    for (let at = 0; at < DATE_BYTES; at++) this.text[at] = date.charCodeAt(at);
    return true;
  }

  #write(year: number, month: number, day: number): void {
    const { text } = this;
    text[4] = text[7] = HYPHEN;
    text[0] = ZERO + Math.floor(year / 1000);
    text[1] = ZERO + Math.floor(year / 100) % 10;
    text[2] = ZERO + Math.floor(year / 10) % 10;
    text[3] = ZERO + year % 10;
    text[5] = ZERO + Math.floor(month / 10);
    text[6] = ZERO + month % 10;
    text[8] = ZERO + Math.floor(day / 10);
    text[9] = ZERO + day % 10;
  }
}
