/** Splits raw parts into byte ranges and reads the lines of each. */
import { SalesflowError } from "../console/errors.ts";
import { SALE_HEADER } from "../domain/sale.ts";
import type { Part } from "../dataset/dataset.ts";
import type { Store } from "../store/store.ts";
import { MAX_LINE_BYTES } from "./rules.ts";

/** Bytes [start, end) of a part. A line belongs to the range in which it begins. */
export interface ByteRange {
  /** Name of the part. */
  part: string;
  /** First byte. */
  start: number;
  /** Byte after the last one. */
  end: number;
}

/** The lines of a range. */
export interface RangeLines {
  /** Whole lines; the last one may lack its `\n`. */
  bytes: Uint8Array;
  /** Lines of the range before `bytes`: 1 when the header was skipped, otherwise 0. */
  headerLines: number;
}

/** Small enough for each thread to hold one, large enough to keep parts few. Fixed, so that parts do not depend on the machine. */
const DEFAULT_RANGE_BYTES = 8 * 1024 * 1024;
/** Bytes per read while checking whether an overlong line is blank. */
const READ_BLOCK_BYTES = 1024 * 1024;
/** U+202F in UTF-8. */
const MAX_BLANK_BYTES = 3;
const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const SPACE = 0x20;
/** Any byte that is not a blank: "x". */
const NON_BLANK = 0x78;

/** Splits parts into ranges of at most `rangeBytes`, in file order. */
export function splitIntoRanges(parts: readonly Part[], rangeBytes = DEFAULT_RANGE_BYTES): ByteRange[] {
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
 * Reads the lines that begin in a range. An overlong last line is truncated, to more than {@linkcode MAX_LINE_BYTES} bytes
 * unless it is blank; the truncated line is blank if and only if the whole line is.
 *
 * @throws {SalesflowError} when a part does not begin with the header
 */
export async function readLines(
  store: Store,
  folder: string,
  { part, start, end }: ByteRange,
): Promise<RangeLines> {
  // The byte before the range tells whether a line begins at `start`; the bytes after it complete the last line.
  const from = Math.max(0, start - 1);
  const until = end + MAX_LINE_BYTES + 2;
  const loaded = await store.read(`${folder}/${part}`, from, until);
  const linesStart = start === 0 ? 0 : loaded.indexOf(LINE_FEED) + 1;
  if (start > 0 && (linesStart === 0 || from + linesStart >= end)) {
    return { bytes: new Uint8Array(), headerLines: 0 };
  }
  // The line that holds the last byte of the range is the last one that begins in it.
  const lineEnd = loaded.indexOf(LINE_FEED, end - from - 1);
  const isTruncated = lineEnd < 0 && from + loaded.length === until;
  const bytes = isTruncated
    ? await replaceTruncatedLine(loaded.subarray(linesStart), from + linesStart, store, `${folder}/${part}`)
    : loaded.subarray(linesStart, lineEnd < 0 ? loaded.length : lineEnd + 1);
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

/**
 * Replaces a truncated last line, so that the result is blank if and only if the whole line is.
 *
 * @param offset position of `bytes` in the file
 */
async function replaceTruncatedLine(
  bytes: Uint8Array,
  offset: number,
  store: Store,
  path: string,
): Promise<Uint8Array> {
  const start = bytes.lastIndexOf(LINE_FEED) + 1;
  // The truncated bytes may end within a blank or before a carriage return, so up to two bytes say nothing.
  if (bytes.length - skipBlanks(bytes, start, bytes.length) >= MAX_BLANK_BYTES) return bytes;
  if (await isBlankLine(store, path, offset + start)) {
    bytes[start] = SPACE;
    return bytes.subarray(0, start + 1);
  }
  // Beyond the bytes that rejected/ keeps of a line.
  bytes[bytes.length - 1] = NON_BLANK;
  return bytes;
}

/** Reports whether the line that begins at `start` is blank, reading a block at a time. */
async function isBlankLine(store: Store, path: string, start: number): Promise<boolean> {
  for (let at = start;;) {
    const block = await store.read(path, at, at + READ_BLOCK_BYTES);
    const found = block.indexOf(LINE_FEED);
    const isLast = found >= 0 || block.length < READ_BLOCK_BYTES;
    let end = found < 0 ? block.length : found;
    if (isLast && block[end - 1] === CARRIAGE_RETURN) end--;
    const blanks = skipBlanks(block, 0, end);
    if (isLast) return blanks === end;
    if (end - blanks >= MAX_BLANK_BYTES) return false;
    at += blanks;
  }
}

/** Calls `visit` with the bounds of each line in order, without its `\n` and one `\r` before it. */
export function forEachLine(bytes: Uint8Array, visit: (start: number, end: number) => void): void {
  for (let start = 0; start < bytes.length;) {
    const found = bytes.indexOf(LINE_FEED, start);
    const next = found < 0 ? bytes.length : found;
    visit(start, next > start && bytes[next - 1] === CARRIAGE_RETURN ? next - 1 : next);
    start = next + 1;
  }
}

/** Returns the end of the run of whole blanks (space, tab, U+00A0, U+202F) that begins at `start`. */
function skipBlanks(bytes: Uint8Array, start: number, end: number): number {
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

/** Reports whether a line holds nothing but blanks. */
export function isBlank(bytes: Uint8Array, start: number, end: number): boolean {
  return skipBlanks(bytes, start, end) === end;
}
