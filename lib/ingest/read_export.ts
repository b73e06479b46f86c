/** Reader of export files: CSV, plain or gzip, with any common delimiter, quoting, line ending and encoding. */
import { parse } from "csv-parse";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { SalesflowError } from "../console/errors.ts";
import { detectDelimiter } from "./header.ts";

/** One record of an export. */
export interface ExportRecord {
  /** All values of the record; there may be fewer or more than in the header. */
  values: string[];
  /** Line number on which the record ends, counted from 1. */
  line: number;
}

/** Maximum length of a record; a longer one is usually an unclosed quote. */
export const MAX_RECORD_BYTES = 1024 * 1024;

/** Small, because the parser queues the records of a chunk and a long queue is slow: short lines make many records. */
const CHUNK_BYTES = 16 * 1024;

const GZIP_MAGIC = [0x1f, 0x8b];

/**
 * Maximum compression ratio of a gzip file. Exports compress 3 to 30 times; a gzip bomb 200 to 1,030 times, and would fill the
 * disk with rows or blank lines that are valid one by one.
 */
export const MAX_COMPRESSION_RATIO = 100;

/** Decompressed bytes that are exempt from the ratio: a small file of one repeated row is harmless. */
export const UNCHECKED_OUTPUT_BYTES = 1024 * 1024;

/** pipeline() requires a callback; errors reach the stream's reader, so there is nothing to do here. */
const ignoreOutcome = () => {};

/** Counts the line breaks within values. */
function countLineBreaks(values: readonly string[]): number {
  return values.reduce((sum, value) => sum + (value.includes("\n") ? value.split("\n").length - 1 : 0), 0);
}

async function* readChunks(file: Deno.FsFile): AsyncGenerator<Uint8Array> {
  while (true) {
    const buffer = new Uint8Array(CHUNK_BYTES);
    const count = await file.read(buffer);
    if (count === null) return;
    yield buffer.subarray(0, count);
  }
}

async function* prepend<T>(first: T, rest: AsyncIterable<T>): AsyncGenerator<T> {
  yield first;
  yield* rest;
}

/**
 * Decompresses gzip.
 *
 * @throws {SalesflowError} when the compression ratio is too high
 */
async function* gunzip(compressed: AsyncIterable<Uint8Array>, path: string): AsyncGenerator<Uint8Array> {
  let [compressedBytes, decompressedBytes] = [0, 0];
  const counted = async function* () {
    for await (const chunk of compressed) {
      compressedBytes += chunk.length;
      yield chunk;
    }
  };
  for await (const chunk of pipeline(counted(), createGunzip(), ignoreOutcome)) {
    decompressedBytes += chunk.length;
    if (decompressedBytes > UNCHECKED_OUTPUT_BYTES + compressedBytes * MAX_COMPRESSION_RATIO) {
      throw new SalesflowError(`${path} decompresses to more than ${MAX_COMPRESSION_RATIO} times its size`, {
        stage: "ingest",
        exitCode: 2,
        remedy: "It may be a gzip bomb. If you trust it, decompress it yourself and ingest the result.",
      });
    }
    yield chunk;
  }
}

/** Returns the content of a file, decompressed if it is gzip. Reads the file once, so that it may be a pipe. */
async function decompressIfGzip(file: Deno.FsFile, path: string): Promise<AsyncIterable<Uint8Array>> {
  const head = new Uint8Array(GZIP_MAGIC.length);
  let filled = 0;
  for (let count: number | null = 0; filled < head.length && count !== null; filled += count ?? 0) {
    count = await file.read(head.subarray(filled));
  }
  const bytes = prepend(head.subarray(0, filled), readChunks(file));
  const isGzip = GZIP_MAGIC.every((byte, index) => head[index] === byte);
  return isGzip ? gunzip(bytes, path) : bytes;
}

async function* decode(bytes: AsyncIterable<Uint8Array>, encoding: string): AsyncGenerator<string> {
  const decoder = new TextDecoder(encoding);
  for await (const chunk of bytes) yield decoder.decode(chunk, { stream: true });
  yield decoder.decode();
}

/** Returns the first line that is not white space, once it is complete. */
function findFirstLine(text: string): string | undefined {
  return /^\s*(\S[^\n]*)\n/.exec(text)?.[1];
}

/**
 * Reads the records of a file, its header first; blank lines are skipped.
 *
 * @param encoding label from the Encoding standard, such as `utf-8` or `windows-1251`
 * @param signal aborts reading, even within a run of blank lines
 * @throws {SalesflowError} when the file cannot be read, decompressed or parsed
 */
export async function* readExport(
  path: string,
  encoding: string,
  signal?: AbortSignal,
): AsyncGenerator<ExportRecord> {
  try {
    // Closed here, because a pipeline does not close its source when the reader stops early.
    using file = await Deno.open(path, { read: true });
    const text = decode(await decompressIfGzip(file, path), encoding);
    let head = "";
    for (let done: boolean | undefined = false; !done && head.length <= MAX_RECORD_BYTES;) {
      const next = await text.next();
      if (!next.done) head += next.value;
      done = next.done || findFirstLine(head) !== undefined;
    }
    const parser = parse({
      delimiter: detectDelimiter(findFirstLine(head) ?? head),
      relax_column_count: true,
      relax_quotes: true,
      max_record_size: MAX_RECORD_BYTES,
      record_delimiter: ["\r\n", "\n"],
    });
    pipeline(prepend(head, text), parser, ignoreOutcome);
    let line = 0;
    for await (const values of parser) {
      signal?.throwIfAborted();
      line += 1 + countLineBreaks(values);
      if (values.length > 1 || values[0].trim() !== "") yield { values, line };
    }
  } catch (cause) {
    throw toSalesflowError(path, cause);
  }
}

function toSalesflowError(path: string, cause: unknown): SalesflowError {
  if (cause instanceof SalesflowError) return cause;
  // Exit code 2, because the file was named on the command line.
  const details = { cause, stage: "ingest", exitCode: 2 as const };
  if (cause instanceof Deno.errors.NotFound) return new SalesflowError(`There is no file ${path}`, details);
  if (cause instanceof Deno.errors.PermissionDenied) {
    return new SalesflowError(`Cannot read ${path}: permission denied`, {
      ...details,
      remedy: "Grant this user permission to read the file and to enter its folder.",
    });
  }
  if (cause instanceof Deno.errors.IsADirectory) {
    return new SalesflowError(`Cannot read ${path}: it is a folder`, {
      ...details,
      remedy: "Name the files in it, such as FOLDER/*.csv.",
    });
  }
  const { code = "", lines } = cause as { code?: string; lines?: number };
  if (code === "CSV_QUOTE_NOT_CLOSED" || code === "CSV_MAX_RECORD_SIZE") {
    return new SalesflowError(
      `${path}: the record that ends on line ${lines ?? "?"} is too long or has an unclosed quote`,
      {
        ...details,
        remedy:
          `Look for a lone double quote before that line. A record may have up to ${MAX_RECORD_BYTES} characters.`,
      },
    );
  }
  if (code.startsWith("Z_")) {
    return new SalesflowError(`${path} is damaged: it cannot be decompressed completely`, {
      ...details,
      remedy: "Copy or export the file again.",
    });
  }
  return new SalesflowError(`Cannot read ${path}`, {
    ...details,
    remedy: "It must be a CSV file with a header, plain or compressed with gzip.",
  });
}
