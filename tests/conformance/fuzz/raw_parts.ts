/** Raw parts as nobody would write them, the same for the same seed: what both engines are fuzzed with. */
import { Buffer } from "node:buffer";
import { SALE_HEADER } from "../../../lib/domain/sale.ts";
import { Dice } from "./dice.ts";
import { SEQUENCES, valueOf } from "./odd_values.ts";

/** What one round of fuzzing gives to both engines. */
export interface FuzzRound {
  parts: Uint8Array[];
  asOf: string;
  dateRange: boolean;
  /** Raw bytes that a thread of the native engine takes at a time. */
  rangeBytes: number;
}

/** Days around which years, months and centuries change. */
const DAYS = ["2026-11-24", "2028-02-29", "2027-02-28", "2026-01-01", "2025-12-31", "2100-03-01"];
const LINES_OF_A_PART = 900;
const LINE_ENDS = ["\n", "\n", "\n", "\r\n", "\r\n", "\r\r\n", "\r", "\n\n", "\n \n"];
/** Around the longest line that is read, and far above it. */
const LONG = [65_535, 65_536, 65_537, 65_538, 65_539, 131_073, 1 << 20];

/** Lines are made as Latin-1: one character for each byte, so that every byte can be changed. */
function bytesOf(text: string): string {
  return Buffer.from(text).toString("latin1");
}

function quoted(value: string, dice: Dice): string {
  const text = `"${value.replaceAll('"', '""')}"`;
  switch (dice.below(24)) {
    case 0:
      return ` ${text}\u00a0`;
    case 1:
      return `"${value}"`;
    case 2:
      return text.slice(0, -1);
    case 3:
      return `${text}x`;
    default:
      return text;
  }
}

/** Seven values, some of them odd, some in quotes. */
function row(day: string, dice: Dice): string[] {
  const oddity = dice.pick([1_000, 1_000, 12, 5]);
  const quotes = dice.pick([1_000, 1_000, 5, 2]);
  return Array.from({ length: 7 }, (_, column) => {
    const value = valueOf(column, day, oddity, dice);
    const text = /[",]/.test(value) || dice.oneIn(quotes) ? quoted(value, dice) : value;
    return bytesOf(text);
  });
}

/** Drops, adds, doubles or swaps fields. */
function withOtherFields(fields: string[], dice: Dice): string[] {
  const at = dice.below(fields.length);
  switch (dice.below(4)) {
    case 0:
      return fields.toSpliced(at, 1);
    case 1:
      return fields.toSpliced(at, 0, dice.pick(["", "x", '""', '","']));
    case 2:
      return fields.toSpliced(at, 0, fields[at]!);
    default:
      return fields.toSpliced(at, 1, fields[dice.below(fields.length)]!);
  }
}

/** Changes, adds or removes bytes. */
function withOtherBytes(line: string, dice: Dice): string {
  const at = dice.below(line.length + 1);
  const [before, after] = [line.slice(0, at), line.slice(at)];
  switch (dice.below(5)) {
    case 0:
      return before + String.fromCharCode(dice.below(256)) + after.slice(1);
    case 1:
      return before + after.slice(1 + dice.below(4));
    case 2:
      return before + line.slice(dice.below(at + 1), at) + after;
    default:
      return before + dice.pick(SEQUENCES) + after;
  }
}

/** A line that is no row at all. */
function strange(dice: Dice): string {
  switch (dice.below(6)) {
    case 0:
      return Array.from({ length: dice.below(120) }, () => String.fromCharCode(dice.below(256))).join("");
    case 1:
      return Array.from(
        { length: dice.below(60) },
        () => dice.pick(['"', ",", "1", " ", "\r", "\xc2", "\xa0"]),
      ).join("");
    case 2:
      return SALE_HEADER;
    case 3:
      return Array.from(
        { length: dice.below(9) },
        () => dice.pick([" ", "\t", "\xc2\xa0", "\xe2\x80\xaf", "\xa0"]),
      ).join("");
    case 4:
      return ",".repeat(dice.below(12));
    default:
      return dice.pick([
        "",
        "\xef\xbb\xbf",
        "\0",
        "\x1a",
        '"',
        '""',
        "null",
        "\xef\xbb\xbf" + SALE_HEADER,
        "\\.",
        "=1+1",
      ]);
  }
}

/** A line about as long as lines may be, or a million fields. */
function long(day: string, dice: Dice): string {
  const line = row(day, dice).join(",");
  const length = dice.pick(LONG);
  switch (dice.below(6)) {
    case 0:
      return line + " ".repeat(Math.max(0, length - line.length));
    case 1:
      return line.replace(",", bytesOf("я").repeat((length - line.length) >> 1) + ",");
    case 2:
      return `"${'""'.repeat((length - line.length) >> 1)}"${line}`;
    case 3:
      return ",".repeat(dice.oneIn(2) ? 1_000_000 : length);
    case 4:
      return "\xc2\xa0".repeat(length >> 1) + dice.pick(["", " ", "x", "\xa0", "\xc2"]);
    default:
      return line.replace(",", `${"0".repeat(Math.max(0, length - line.length))},`);
  }
}

function line(day: string, dice: Dice): string {
  if (dice.oneIn(40)) return strange(dice);
  if (dice.oneIn(220)) return long(day, dice);
  let fields = row(day, dice);
  if (dice.oneIn(30)) fields = withOtherFields(fields, dice);
  let text = fields.join(",");
  for (let changes = dice.pick([0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 5]); changes > 0; changes--) {
    text = withOtherBytes(text, dice);
  }
  return text;
}

function part(day: string, dice: Dice): Uint8Array {
  let text = SALE_HEADER + dice.pick(["\n", "\n", "\r\n"]);
  const usual = dice.pick(["\n", "\n", "\r\n"]);
  const seen: string[] = [];
  for (let number = 0; number < LINES_OF_A_PART; number++) {
    // What stood before comes again, as it was or nearly.
    const again = seen.length > 0 && dice.oneIn(6) ? dice.pick(seen) : undefined;
    const next = again === undefined ? line(day, dice) : dice.oneIn(4) ? withOtherBytes(again, dice) : again;
    if (next.length < 500) seen.push(next);
    text += next + (dice.oneIn(30) ? dice.pick(LINE_ENDS) : usual);
  }
  if (dice.oneIn(2)) text = text.slice(0, -1);
  return Buffer.from(text, "latin1");
}

/** One round: a few parts with thousands of lines. */
export function fuzzRound(seed: number, round: number): FuzzRound {
  const dice = new Dice(seed * 1_000 + round);
  // The first round is like the demo's data; the others meet other days and ways to cut.
  const asOf = round === 0 ? DAYS[0]! : dice.pick(DAYS);
  const dateRange = round % 3 !== 2;
  const rangeBytes = dice.pick([50_000, 200_000, 1 << 20, 8 << 20]);
  return { parts: Array.from({ length: 4 }, () => part(asOf, dice)), asOf, dateRange, rangeBytes };
}

/** First lines that are not the header: each makes the part, and with it the stage, fail. */
export const WRONG_HEADERS: readonly [what: string, part: Uint8Array][] = (
  [
    ["no byte at all", ""],
    ["a blank line first", `\n${SALE_HEADER}\n`],
    ["a byte order mark first", `\xef\xbb\xbf${SALE_HEADER}\n`],
    ["no header", "1,11,22,3,2026-11-24,10.00,North\n"],
    ["capitals", `${SALE_HEADER.toUpperCase()}\n`],
    ["quotes", `"${SALE_HEADER.replaceAll(",", '","')}"\n`],
    ["a column more", `${SALE_HEADER},note\n`],
    ["a column less", `${SALE_HEADER.replace(",region", "")}\n`],
    ["another order", `${SALE_HEADER.split(",").reverse().join(",")}\n`],
    ["semicolons", `${SALE_HEADER.replaceAll(",", ";")}\n`],
    ["two returns", `${SALE_HEADER}\r\r\n`],
    ["a return for a line end", `${SALE_HEADER}\r1,11,22,3,2026-11-24,10.00,North\r`],
    ["a NUL at its end", `${SALE_HEADER}\0\n`],
    ["a broken byte", `${SALE_HEADER.replace("region", "regi\xffon")}\n`],
    ["a million columns", `${",".repeat(1_000_000)}\n`],
    [
      "UTF-16",
      Array.from(`\xff\xfe${SALE_HEADER}\n`, (letter, index) => index < 2 ? letter : `${letter}\0`).join(""),
    ],
  ] as const
).map(([what, text]) => [what, Buffer.from(`${text}`, "latin1")]);
