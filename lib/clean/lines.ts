/** Ranges of raw parts, and the lines that begin in each. */
import { SalesflowError } from "../console/errors.ts";
import { SALE_HEADER } from "../domain/sale.ts";
import type { Part } from "../dataset/dataset.ts";
import type { Store } from "../store/store.ts";
import { LONGEST_LINE_BYTES } from "./rules.ts";

/** Bytes `start` (included) to `end` (excluded) of a part; owns the lines that begin in it. */
export interface Range {
  part: string;
  start: number;
  end: number;
}

/** The bytes of the lines of a range: line ends are `\n`, the last line may lack its own. */
export interface RangeLines {
  bytes: Uint8Array;
  /** Lines of the part that stand in this range before `bytes`: 1 when the header was skipped. */
  headerLines: number;
}

/** Small enough for several threads to hold one each, large enough for few parts. Fixed, so that parts do not depend on the machine. */
const RANGE_BYTES = 8 * 1024 * 1024;
/** What is read at a time to see whether a very long line is blank. */
const LOOK_BYTES = 1024 * 1024;
const LONGEST_BLANK_BYTES = 3;
const LINE_FEED = 10;
const RETURN = 13;
const SPACE = 0x20;
const NO_BLANK = 0x78;

/** Cuts parts into ranges, in file order. */
export function cutRanges(parts: readonly Part[], rangeBytes = RANGE_BYTES): Range[] {
  return parts.flatMap(({ name, bytes }) => {
    const count = Math.max(1, Math.ceil(bytes / rangeBytes));
    return Array.from({ length: count }, (_, index) => ({
      part: name,
      start: Math.floor(bytes * index / count),
      end: Math.floor(bytes * (index + 1) / count),
    }));
  });
}

/**
 * Reads the lines that begin in a range. A last line that is too long is cut after {@linkcode LONGEST_LINE_BYTES} + 2 bytes or more;
 * what is left of it is blank when, and only when, the whole line is.
 *
 * @throws {SalesflowError} when a part does not begin with the header
 */
export async function readLines(
  store: Store,
  folder: string,
  { part, start, end }: Range,
): Promise<RangeLines> {
  // One byte before the range tells whether a line begins at `start`; the slack after it completes the last line.
  const from = Math.max(0, start - 1);
  const until = end + LONGEST_LINE_BYTES + 2;
  const loaded = await store.read(`${folder}/${part}`, from, until);
  const begin = start === 0 ? 0 : loaded.indexOf(LINE_FEED) + 1;
  if (start > 0 && (begin === 0 || from + begin >= end)) return { bytes: new Uint8Array(), headerLines: 0 };
  const lastStart = end - from - 1;
  // The line that holds the range's last byte is the last one that begins in the range.
  const lineEnd = loaded.indexOf(LINE_FEED, lastStart);
  const isCut = lineEnd < 0 && from + loaded.length === until;
  const bytes = isCut
    ? await withCutLine(loaded.subarray(begin), (at) => from + begin + at, store, `${folder}/${part}`)
    : loaded.subarray(begin, lineEnd < 0 ? loaded.length : lineEnd + 1);
  if (start > 0) return { bytes, headerLines: 0 };
  const headerEnd = bytes.indexOf(LINE_FEED);
  const header = new TextDecoder("utf-8", { ignoreBOM: true }).decode(
    bytes.subarray(0, headerEnd < 0 ? bytes.length : headerEnd),
  )
    .replace(/\r$/, "");
  if (header !== SALE_HEADER) {
    throw new SalesflowError(
      `${store.url}/${folder}/${part} line 1: the header is ${JSON.stringify(header.slice(0, 200))}`,
      {
        remedy: `It must be ${SALE_HEADER}. For a file with other columns use: salesflow ingest FILE --map …`,
        stage: "clean",
      },
    );
  }
  return { bytes: headerEnd < 0 ? new Uint8Array() : bytes.subarray(headerEnd + 1), headerLines: 1 };
}

/** The bytes up to a last line that is cut, with something in its place that is as blank as the whole line. */
async function withCutLine(
  bytes: Uint8Array,
  placeOf: (at: number) => number,
  store: Store,
  path: string,
): Promise<Uint8Array> {
  const start = bytes.lastIndexOf(LINE_FEED) + 1;
  // The cut may go through a blank or before the end of its line.
  if (bytes.length - blanksEnd(bytes, start, bytes.length) >= LONGEST_BLANK_BYTES) return bytes;
  if (await isBlankLine(store, path, placeOf(start))) {
    bytes[start] = SPACE;
    return bytes.subarray(0, start + 1);
  }
  // Too far behind in the line to be shown in rejected/.
  bytes[bytes.length - 1] = NO_BLANK;
  return bytes;
}

/** Whether the line that begins there is blank, however long it is. */
async function isBlankLine(store: Store, path: string, start: number): Promise<boolean> {
  for (let at = start;;) {
    const block = await store.read(path, at, at + LOOK_BYTES);
    const found = block.indexOf(LINE_FEED);
    const isLast = found >= 0 || block.length < LOOK_BYTES;
    let end = found < 0 ? block.length : found;
    if (isLast && block[end - 1] === RETURN) end--;
    const blanks = blanksEnd(block, 0, end);
    if (isLast) return blanks === end;
    if (end - blanks >= LONGEST_BLANK_BYTES) return false;
    at += blanks;
  }
}

/** Calls `visit` with the bounds of each line (without `\n` and one `\r` before it), in order. */
export function forEachLine(bytes: Uint8Array, visit: (start: number, end: number) => void): void {
  for (let start = 0; start < bytes.length;) {
    const found = bytes.indexOf(LINE_FEED, start);
    const next = found < 0 ? bytes.length : found;
    visit(start, next > start && bytes[next - 1] === RETURN ? next - 1 : next);
    start = next + 1;
  }
}

/** Where the blanks (space, tab, U+00A0, U+202F) from `start` on end; whole ones only. */
function blanksEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end) {
    const byte = bytes[at]!;
    if (byte === SPACE || byte === 0x09) at++;
    else if (byte === 0xc2 && bytes[at + 1] === 0xa0 && at + 1 < end) at += 2;
    else if (byte === 0xe2 && bytes[at + 1] === 0x80 && bytes[at + 2] === 0xaf && at + 2 < end) at += 3;
    else break;
  }
  return at;
}

/** Whether a line holds nothing but blanks. */
export function isBlank(bytes: Uint8Array, start: number, end: number): boolean {
  return blanksEnd(bytes, start, end) === end;
}
