/** Reads a chunk line by line: plain lines are mapped from their bytes, others are read as text. No I/O. */
import type { CsvReader } from "../formats/csv_records.ts";
import type { PlainMapper } from "../plain/plain_mapper.ts";
import type { RawLines } from "./raw_lines.ts";
import type { RecordSink } from "./record_sink.ts";

const LINE_FEED = 10;
/** Four line feeds, and the bits that no ASCII character has. */
const [LINE_FEEDS, NOT_ASCII] = [0x0a0a0a0a, 0x80808080];

/** Replaces invalid bytes in decoded text. */
const REPLACEMENT = "\ufffd";

/**
 * Counts the lines of a text, and reports whether all of its bytes are valid and none stands for a character that was lost before.
 *
 * @param isLast whether nothing follows, so that the last line may lack its end
 */
export function surveyText(
  bytes: Uint8Array,
  encoding: string,
  isLast: boolean,
): { lines: number; isSound: boolean } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let lines = 0;
  let all = 0;
  let at = 0;
  // Four bytes at a time: most groups have no line feed, for which a byte becomes zero by the exclusive or.
  for (const last = bytes.length - 3; at < last; at += 4) {
    const four = view.getInt32(at, true);
    all |= four;
    const odd = four ^ LINE_FEEDS;
    if ((odd - 0x01010101 & ~odd & 0x80808080) === 0) continue;
    for (let byte = at; byte < at + 4; byte++) if (bytes[byte] === LINE_FEED) lines++;
  }
  for (; at < bytes.length; at++) {
    all |= bytes[at]!;
    if (bytes[at] === LINE_FEED) lines++;
  }
  if (isLast && bytes.length > 0 && bytes.at(-1) !== LINE_FEED) lines++;
  const isSound = (all & NOT_ASCII) === 0 ||
    !new TextDecoder(encoding, { ignoreBOM: true }).decode(bytes).includes(REPLACEMENT);
  return { lines, isSound };
}

/** A chunk whose bytes are valid. */
export interface PlainChunk {
  /** Whole lines. */
  bytes: Uint8Array;
  /** Name of the encoding. */
  encoding: string;
  /** Whether nothing follows. */
  isLast: boolean;
}

/** Where the lines of a chunk go. */
export interface PlainTarget {
  /** Receives records of text; counts those of plain lines, too. */
  sink: RecordSink;
  /** Receives the rows of plain lines. */
  raw: RawLines;
  /** Returns the mapper of a header. */
  mapperOf: (header: readonly string[]) => PlainMapper | undefined;
}

/**
 * Maps the lines of a chunk; returns the text of the incomplete record at its end, and the number of lines above that.
 *
 * @param reader reads what is not plain
 */
export function readPlainChunk(
  { bytes, encoding, isLast }: PlainChunk,
  reader: CsvReader,
  { sink, raw, mapperOf }: PlainTarget,
): { rest: string; lines: number } {
  const decoder = new TextDecoder(encoding, { ignoreBOM: true });
  let { header } = sink;
  let mapper = mapperOf(header);
  let at = 0;
  let line = 1;
  mapper?.line.open(bytes);
  while (at < bytes.length) {
    if (mapper) {
      const kind = mapper.line.scan(at);
      const isRow = kind === "plain" && mapper.map(line, raw);
      if (isRow || kind === "blank") {
        if (isRow) sink.count++;
        at = mapper.line.next;
        line++;
        continue;
      }
    }
    const record = readRecord(at, line);
    if (!record) break;
    ({ at, line } = record);
    if (sink.header === header) continue;
    header = sink.header;
    mapper = mapperOf(header);
    mapper?.line.open(bytes);
  }
  return { rest: decoder.decode(bytes.subarray(at)), lines: line - 1 };

  /** Reads the record that begins on a line; undefined when it goes on behind the chunk. */
  function readRecord(begin: number, first: number): { at: number; line: number } | undefined {
    let end = lineEnd(bytes, begin);
    for (let more = 1;; more *= 2) {
      const isAll = end === bytes.length;
      const text = decoder.decode(bytes.subarray(begin, end));
      const { line: next } = reader.read(text, first, isLast && isAll, (values, recordText, line, lines) => {
        sink.add(values, values ? undefined : recordText, line, lines);
        return false;
      });
      if (next > first) return { at: skipLines(bytes, begin, next - first), line: next };
      if (isAll) return undefined;
      for (let lines = 0; lines < more; lines++) end = lineEnd(bytes, end);
    }
  }
}

/** Returns the offset behind the end of a line. */
function lineEnd(bytes: Uint8Array, from: number): number {
  const end = bytes.indexOf(LINE_FEED, from);
  return end < 0 ? bytes.length : end + 1;
}

function skipLines(bytes: Uint8Array, from: number, lines: number): number {
  let at = from;
  for (let line = 0; line < lines; line++) at = lineEnd(bytes, at);
  return at;
}
