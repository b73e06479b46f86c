/** The records of one export file: gzip or plain, any of the usual separators, quotes, line ends and encodings. */
import { parse } from "csv-parse";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { SalesflowError } from "../console/errors.ts";
import { findDelimiter } from "./header.ts";

/** One record of an export. */
export interface ExportRecord {
  /** As many as the line has; they may be fewer or more than the header's. */
  values: string[];
  /** Line of the file on which the record ends, counted from 1. */
  line: number;
}

/** A record longer than this is an error: usually a quote that never closes. */
export const LONGEST_RECORD_BYTES = 1024 * 1024;

/** A chunk's records wait in a queue that gets slow when it is long, as it does for very short lines. */
const CHUNK_BYTES = 16 * 1024;

const GZIP = [0x1f, 0x8b];

/**
 * A packed file may unfold into so many times its size: exports do into 3 to 30 times, a gzip bomb into 200 to 1,030
 * times, and then fills the disk with rows or blank lines that are all fine by themselves.
 */
export const MOST_TIMES_UNPACKED = 100;

/** What a packed file may unfold into anyway: a small one of the same row again and again does no harm. */
export const FREE_UNPACKED_BYTES = 1024 * 1024;

/** Whoever reads a stream is told of its end and of its errors; nobody else needs to be. */
const ignoreOutcome = () => {};

/** Lines that values span beyond their first. */
function lineBreaks(values: readonly string[]): number {
  return values.reduce((sum, value) => sum + (value.includes("\n") ? value.split("\n").length - 1 : 0), 0);
}

async function* fileBytes(file: Deno.FsFile): AsyncGenerator<Uint8Array> {
  while (true) {
    const buffer = new Uint8Array(CHUNK_BYTES);
    const count = await file.read(buffer);
    if (count === null) return;
    yield buffer.subarray(0, count);
  }
}

async function* joined<T>(first: T, rest: AsyncIterable<T>): AsyncGenerator<T> {
  yield first;
  yield* rest;
}

/** The bytes of a gzip file; an error when they are many more than it holds. */
async function* unpack(packed: AsyncIterable<Uint8Array>, path: string): AsyncGenerator<Uint8Array> {
  let [packedBytes, unpackedBytes] = [0, 0];
  const counted = async function* () {
    for await (const chunk of packed) {
      packedBytes += chunk.length;
      yield chunk;
    }
  };
  for await (const chunk of pipeline(counted(), createGunzip(), ignoreOutcome)) {
    unpackedBytes += chunk.length;
    if (unpackedBytes > FREE_UNPACKED_BYTES + packedBytes * MOST_TIMES_UNPACKED) {
      throw new SalesflowError(`${path} unfolds into more than ${MOST_TIMES_UNPACKED} times its size`, {
        stage: "ingest",
        exitCode: 2,
        remedy: "It looks like a gzip bomb. When it is meant, unpack it yourself and ingest what comes out.",
      });
    }
    yield chunk;
  }
}

/** The file's bytes, unpacked when they are packed. Reads the file once, so that it may be a pipe. */
async function unpacked(file: Deno.FsFile, path: string): Promise<AsyncIterable<Uint8Array>> {
  const head = new Uint8Array(GZIP.length);
  let filled = 0;
  for (let count: number | null = 0; filled < head.length && count !== null; filled += count ?? 0) {
    count = await file.read(head.subarray(filled));
  }
  const bytes = joined(head.subarray(0, filled), fileBytes(file));
  const packed = GZIP.every((byte, index) => head[index] === byte);
  return packed ? unpack(bytes, path) : bytes;
}

async function* decoded(bytes: AsyncIterable<Uint8Array>, encoding: string): AsyncGenerator<string> {
  const decoder = new TextDecoder(encoding);
  for await (const chunk of bytes) yield decoder.decode(chunk, { stream: true });
  yield decoder.decode();
}

/** The first line that holds more than white space, once it is whole. */
function firstLine(text: string): string | undefined {
  return /^\s*(\S[^\n]*)\n/.exec(text)?.[1];
}

/**
 * The records of a file, its header first; blank lines are left out.
 *
 * @param encoding a label of the Encoding standard, such as `utf-8` or `windows-1251`
 * @param signal ends the reading, even among blank lines that nobody sees
 * @throws {SalesflowError} when the file cannot be read, unpacked or parsed
 */
export async function* readExport(
  path: string,
  encoding: string,
  signal?: AbortSignal,
): AsyncGenerator<ExportRecord> {
  try {
    // Closed here, because a pipeline whose reader leaves does not close its source.
    using file = await Deno.open(path, { read: true });
    const text = decoded(await unpacked(file, path), encoding);
    let head = "";
    for (let done: boolean | undefined = false; !done && head.length <= LONGEST_RECORD_BYTES;) {
      const next = await text.next();
      if (!next.done) head += next.value;
      done = next.done || firstLine(head) !== undefined;
    }
    const parser = parse({
      delimiter: findDelimiter(firstLine(head) ?? head),
      relax_column_count: true,
      relax_quotes: true,
      max_record_size: LONGEST_RECORD_BYTES,
      record_delimiter: ["\r\n", "\n"],
    });
    pipeline(joined(head, text), parser, ignoreOutcome);
    let line = 0;
    for await (const values of parser) {
      signal?.throwIfAborted();
      line += 1 + lineBreaks(values);
      if (values.length > 1 || values[0].trim() !== "") yield { values, line };
    }
  } catch (cause) {
    throw explain(path, cause);
  }
}

function explain(path: string, cause: unknown): SalesflowError {
  if (cause instanceof SalesflowError) return cause;
  // Whatever is wrong with an export, it is what was named on the command line.
  const details = { cause, stage: "ingest", exitCode: 2 as const };
  if (cause instanceof Deno.errors.NotFound) return new SalesflowError(`There is no file ${path}`, details);
  if (cause instanceof Deno.errors.PermissionDenied) {
    return new SalesflowError(`Cannot read ${path}: it is not allowed`, {
      ...details,
      remedy: "Give this user permission to read the file and to enter its folder.",
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
      `${path}: the record that ends at line ${lines ?? "?"} is too long or its quote never closes`,
      {
        ...details,
        remedy:
          `Look for a lone double quote before that line. A record may be ${LONGEST_RECORD_BYTES} characters long.`,
      },
    );
  }
  if (code.startsWith("Z_")) {
    return new SalesflowError(`${path} is damaged: it cannot be unpacked to its end`, {
      ...details,
      remedy: "Copy or export the file again.",
    });
  }
  return new SalesflowError(`Cannot read ${path}`, {
    ...details,
    remedy: "It must be a CSV file with a header, plain or packed with gzip.",
  });
}
