/** Malformed raw parts for fuzzing both engines; deterministic in the seed. */
import { Buffer } from "node:buffer";
import { SALE_HEADER } from "../../../lib/domain/sale.ts";
import { Prng } from "./prng.ts";
import { randomValue, SEQUENCES } from "./edge_values.ts";

/** Input of one round. */
export interface FuzzRound {
  parts: Uint8Array[];
  asOf: string;
  dateRange: boolean;
  /** As in the facts of raw/. */
  onConflict: "last" | undefined;
  /** Raw bytes per task of the native engine. */
  rangeBytes: number;
}

/** As-of dates at the boundaries of months, years and centuries. */
const DAYS = ["2026-11-24", "2028-02-29", "2027-02-28", "2026-01-01", "2025-12-31", "2100-03-01"];
const LINES_PER_PART = 900;
const LINE_ENDS = ["\n", "\n", "\n", "\r\n", "\r\n", "\r\r\n", "\r", "\n\n", "\n \n"];
/** Around the maximum length of a line, and far above it. */
const LONG_LINE_BYTES = [65_535, 65_536, 65_537, 65_538, 65_539, 131_073, 1 << 20];

/** Returns the UTF-8 bytes of a text as Latin-1, one character per byte, so that bytes can be mutated. */
function toLatin1(text: string): string {
  return Buffer.from(text).toString("latin1");
}

function quoted(value: string, prng: Prng): string {
  const text = `"${value.replaceAll('"', '""')}"`;
  switch (prng.below(24)) {
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

/** Returns seven values; some are edge cases, some are quoted. */
function row(day: string, prng: Prng): string[] {
  const edgeOdds = prng.pick([1_000, 1_000, 12, 5]);
  const quotes = prng.pick([1_000, 1_000, 5, 2]);
  return Array.from({ length: 7 }, (_, column) => {
    const value = randomValue(column, day, edgeOdds, prng);
    const text = /[",]/.test(value) || prng.oneIn(quotes) ? quoted(value, prng) : value;
    return toLatin1(text);
  });
}

/** Drops, adds, duplicates or swaps fields. */
function mutateFields(fields: string[], prng: Prng): string[] {
  const at = prng.below(fields.length);
  switch (prng.below(4)) {
    case 0:
      return fields.toSpliced(at, 1);
    case 1:
      return fields.toSpliced(at, 0, prng.pick(["", "x", '""', '","']));
    case 2:
      return fields.toSpliced(at, 0, fields[at]!);
    default:
      return fields.toSpliced(at, 1, fields[prng.below(fields.length)]!);
  }
}

/** Changes, inserts or removes bytes. */
function mutateBytes(line: string, prng: Prng): string {
  const at = prng.below(line.length + 1);
  const [before, after] = [line.slice(0, at), line.slice(at)];
  switch (prng.below(5)) {
    case 0:
      return before + String.fromCharCode(prng.below(256)) + after.slice(1);
    case 1:
      return before + after.slice(1 + prng.below(4));
    case 2:
      return before + line.slice(prng.below(at + 1), at) + after;
    default:
      return before + prng.pick(SEQUENCES) + after;
  }
}

/** Returns a line that is not a row. */
function malformedLine(prng: Prng): string {
  switch (prng.below(6)) {
    case 0:
      return Array.from({ length: prng.below(120) }, () => String.fromCharCode(prng.below(256))).join("");
    case 1:
      return Array.from(
        { length: prng.below(60) },
        () => prng.pick(['"', ",", "1", " ", "\r", "\xc2", "\xa0"]),
      ).join("");
    case 2:
      return SALE_HEADER;
    case 3:
      return Array.from(
        { length: prng.below(9) },
        () => prng.pick([" ", "\t", "\xc2\xa0", "\xe2\x80\xaf", "\xa0"]),
      ).join("");
    case 4:
      return ",".repeat(prng.below(12));
    default:
      return prng.pick([
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

/** Returns a line around or above the maximum length, or with a million fields. */
function longLine(day: string, prng: Prng): string {
  const line = row(day, prng).join(",");
  const length = prng.pick(LONG_LINE_BYTES);
  switch (prng.below(6)) {
    case 0:
      return line + " ".repeat(Math.max(0, length - line.length));
    case 1:
      return line.replace(",", toLatin1("я").repeat((length - line.length) >> 1) + ",");
    case 2:
      return `"${'""'.repeat((length - line.length) >> 1)}"${line}`;
    case 3:
      return ",".repeat(prng.oneIn(2) ? 1_000_000 : length);
    case 4:
      return "\xc2\xa0".repeat(length >> 1) + prng.pick(["", " ", "x", "\xa0", "\xc2"]);
    default:
      return line.replace(",", `${"0".repeat(Math.max(0, length - line.length))},`);
  }
}

function line(day: string, prng: Prng): string {
  if (prng.oneIn(40)) return malformedLine(prng);
  if (prng.oneIn(220)) return longLine(day, prng);
  let fields = row(day, prng);
  if (prng.oneIn(30)) fields = mutateFields(fields, prng);
  let text = fields.join(",");
  for (let changes = prng.pick([0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 5]); changes > 0; changes--) {
    text = mutateBytes(text, prng);
  }
  return text;
}

function part(day: string, prng: Prng): Uint8Array {
  let text = SALE_HEADER + prng.pick(["\n", "\n", "\r\n"]);
  const lineEnd = prng.pick(["\n", "\n", "\r\n"]);
  const earlier: string[] = [];
  for (let number = 0; number < LINES_PER_PART; number++) {
    // Repeats an earlier line, unchanged or mutated.
    const again = earlier.length > 0 && prng.oneIn(6) ? prng.pick(earlier) : undefined;
    const next = again === undefined ? line(day, prng) : prng.oneIn(4) ? mutateBytes(again, prng) : again;
    if (next.length < 500) earlier.push(next);
    text += next + (prng.oneIn(30) ? prng.pick(LINE_ENDS) : lineEnd);
  }
  if (prng.oneIn(2)) text = text.slice(0, -1);
  return Buffer.from(text, "latin1");
}

/** Returns one round: a few parts with thousands of lines. */
export function fuzzRound(seed: number, round: number): FuzzRound {
  const prng = new Prng(seed * 1_000 + round);
  // The first round uses the as-of date of the examples; the others vary the date and the options.
  const asOf = round === 0 ? DAYS[0]! : prng.pick(DAYS);
  const dateRange = round % 3 !== 2;
  const onConflict = round % 2 === 1 ? "last" : undefined;
  const rangeBytes = prng.pick([50_000, 200_000, 1 << 20, 8 << 20]);
  const parts = Array.from({ length: 4 }, () => part(asOf, prng));
  return { parts, asOf, dateRange, onConflict, rangeBytes };
}

/** Parts without the correct header; each makes the stage fail. */
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
    ["an invalid byte", `${SALE_HEADER.replace("region", "regi\xffon")}\n`],
    ["a million columns", `${",".repeat(1_000_000)}\n`],
    [
      "UTF-16",
      Array.from(`\xff\xfe${SALE_HEADER}\n`, (letter, index) => index < 2 ? letter : `${letter}\0`).join(""),
    ],
  ] as const
).map(([what, text]) => [what, Buffer.from(`${text}`, "latin1")]);
