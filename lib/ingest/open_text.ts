/** Opens a text: finds its encoding and its header, and cuts what follows into chunks. */
import type { ChunkContent, TextFormat } from "./chunks/chunk.ts";
import {
  CHUNK_BYTES,
  cutLines,
  findEncoding,
  hasLoneReturns,
  needsTranscoding,
  replaceReturns,
  skip,
  transcode,
} from "./chunks/cut_lines.ts";
import { ByteStream } from "./formats/byte_stream.ts";
import { listMembers } from "./formats/json_lines.ts";
import type { OpenedExport } from "./opened_export.ts";
import { checkHeader, findCsvHeader, type HeaderSearch, noHeaderError } from "./source/find_header.ts";
import { joinTexts, neededColumns, normalizeName } from "./source/header_names.ts";

/** Bytes in which line ends and a byte order mark show. */
const FIRST_BYTES = 1 << 16;
const LINE_FEED = 10;

/** Objects whose members are the columns that there are. */
const LISTED_OBJECTS = 1_000;

/** Returns the offset behind so many lines. */
function offsetBehind(bytes: Uint8Array, lines: number): number {
  let at = 0;
  for (let line = 0; line < lines; line++) {
    const end = bytes.indexOf(LINE_FEED, at);
    if (end < 0) return bytes.length;
    at = end + 1;
  }
  return at;
}

/**
 * Opens a delimited text.
 *
 * @throws {SalesflowError} when it is empty, or its header lacks columns
 */
export async function openCsv(
  stream: AsyncIterable<Uint8Array>,
  search: HeaderSearch,
): Promise<OpenedExport> {
  const original = new ByteStream(stream);
  const first = await original.peek(FIRST_BYTES);
  const encoding = findEncoding(first, search.source.format.encoding);
  const isTranscoded = needsTranscoding(encoding);
  let bytes: AsyncIterable<Uint8Array> = isTranscoded ? transcode(original, encoding) : original;
  if (hasLoneReturns(first)) bytes = replaceReturns(bytes);
  const text = new ByteStream(bytes);
  try {
    const head = await text.peek(CHUNK_BYTES);
    const textEncoding = isTranscoded ? "utf-8" : encoding;
    const decoded = new TextDecoder(textEncoding).decode(head);
    const { dialect, ...header } = findCsvHeader(decoded, head.length < CHUNK_BYTES, search);
    const rest = skip(text, offsetBehind(head, header.lastLine));
    const format = { type: "csv" as const, encoding: textEncoding, dialect };
    return toExport(header, encoding, text, cutLines(rest, search.file), format);
  } catch (error) {
    await text.close();
    throw error;
  }
}

/**
 * Opens JSON lines. The columns are the needed members; there is no header.
 *
 * @throws {SalesflowError} when it is empty, or none of the first objects has a needed member
 */
export async function openJsonLines(
  stream: AsyncIterable<Uint8Array>,
  search: HeaderSearch,
): Promise<OpenedExport> {
  const { source, file } = search;
  const text = new ByteStream(stream);
  try {
    const head = await text.peek(CHUNK_BYTES);
    const names = listMembers(new TextDecoder().decode(head), LISTED_OBJECTS);
    if (head.length === 0) throw noHeaderError("", true, search);
    checkHeader({ names, line: 1 }, search);
    const there = new Set(names.map(normalizeName));
    const needed = neededColumns(source).map(({ name }) => normalizeName(name));
    const optional = joinTexts(source).map(normalizeName).filter((text) => there.has(text));
    const columns = [...new Set([...needed, ...optional])];
    const header = { names: columns, line: 0, lastLine: 0 };
    const format = { type: "jsonl" as const, decimal: source.numbers?.decimal ?? "." };
    return toExport(header, "utf-8", text, cutLines(text, file), format);
  } catch (error) {
    await text.close();
    throw error;
  }
}

function toExport(
  header: OpenedExport["header"],
  encoding: string,
  text: ByteStream,
  pieces: AsyncIterable<Uint8Array<ArrayBuffer>>,
  format: TextFormat,
): OpenedExport {
  return { header, encoding, chunks: toChunks(pieces, format), close: () => text.close() };
}

async function* toChunks(
  pieces: AsyncIterable<Uint8Array<ArrayBuffer>>,
  format: TextFormat,
): AsyncGenerator<ChunkContent> {
  let before: Uint8Array<ArrayBuffer> | undefined;
  for await (const bytes of pieces) {
    if (before) yield { kind: "text", format, bytes: before, isLast: false };
    before = bytes;
  }
  yield { kind: "text", format, bytes: before ?? new Uint8Array(), isLast: true };
}
