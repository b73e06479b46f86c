/** Cuts streams of text into chunks of whole lines. No I/O. */
import { SalesflowError } from "../../console/errors.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Bytes of a chunk, at least; big enough for messages between threads to be cheap, small enough for memory. */
export const CHUNK_BYTES = 2 << 20;

/** A file without a line end in so many bytes is no text. */
const MAX_LINE_BYTES = 16 << 20;

const LINE_FEED = 10;

function join(pieces: readonly Uint8Array[], length: number): Bytes {
  const all = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/**
 * Cuts a stream into chunks that end with a line end, but for the last one. Each has a buffer of its own, which may be moved to
 * another thread.
 *
 * @param file path for messages
 * @throws {SalesflowError} when a line is too long for a text
 */
export async function* cutLines(bytes: AsyncIterable<Uint8Array>, file: string): AsyncGenerator<Bytes> {
  let pieces: Uint8Array[] = [];
  let length = 0;
  let hasLineEnd = false;
  for await (const piece of bytes) {
    pieces.push(piece);
    length += piece.length;
    hasLineEnd ||= piece.includes(LINE_FEED);
    if (!hasLineEnd && length > MAX_LINE_BYTES) throw notTextError(file);
    // Joining without a line end to cut at would copy a long line again for every piece of it.
    if (length < CHUNK_BYTES || !hasLineEnd) continue;
    const all = join(pieces, length);
    const end = all.lastIndexOf(LINE_FEED) + 1;
    hasLineEnd = false;
    yield all.slice(0, end);
    pieces = end === length ? [] : [all.subarray(end)];
    length -= end;
  }
  if (length > 0) yield join(pieces, length);
}

function notTextError(file: string): SalesflowError {
  return new SalesflowError(`${file} has no line end in ${MAX_LINE_BYTES >> 20} MiB`, {
    stage: "ingest",
    exitCode: 2,
    remedy: "It must be a text with one sale on each line. Export the sales again.",
  });
}

/** Encodings in which a line feed is not one byte of its own, or means nothing without what stands before it. */
const NEEDS_TRANSCODING = /^utf-16|^iso-2022-jp$/;

/**
 * Returns the encoding of a text: by its byte order mark, else the given one.
 *
 * @param head first bytes
 */
export function findEncoding(head: Uint8Array, encoding: string | undefined): string {
  if (head[0] === 0xff && head[1] === 0xfe) return "utf-16le";
  if (head[0] === 0xfe && head[1] === 0xff) return "utf-16be";
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) return "utf-8";
  return new TextDecoder(encoding).encoding;
}

/** Reports whether lines can be cut only after {@linkcode transcode}. */
export function needsTranscoding(encoding: string): boolean {
  return NEEDS_TRANSCODING.test(encoding);
}

/** Converts a text to UTF-8. */
export async function* transcode(bytes: AsyncIterable<Uint8Array>, encoding: string): AsyncGenerator<Bytes> {
  const decoder = new TextDecoder(encoding, { ignoreBOM: true });
  const encoder = new TextEncoder();
  for await (const piece of bytes) yield encoder.encode(decoder.decode(piece, { stream: true }));
  yield encoder.encode(decoder.decode());
}

/** Reports whether lines end with a carriage return alone, as old programs write them. */
export function hasLoneReturns(head: Uint8Array): boolean {
  return head.includes(13) && !head.includes(LINE_FEED);
}

/** Replaces carriage returns by line feeds. */
export async function* replaceReturns(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Bytes> {
  for await (const piece of bytes) yield Uint8Array.from(piece, (byte) => byte === 13 ? LINE_FEED : byte);
}

/** Skips the first bytes of a stream. */
export async function* skip(bytes: AsyncIterable<Uint8Array>, count: number): AsyncGenerator<Uint8Array> {
  let left = count;
  for await (const piece of bytes) {
    if (left < piece.length) yield piece.subarray(left);
    left = Math.max(0, left - piece.length);
  }
}
