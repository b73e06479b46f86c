/** The records of one export file: gzip or plain, any of the usual separators, quotes, line ends and encodings. */
import { parse } from "csv-parse";
import { Readable } from "node:stream";
import { SalesflowError } from "../errors.ts";
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

const GZIP = [0x1f, 0x8b];
const LINE_FEED = 10;

/** Lines that values span beyond their first. */
function lineBreaks(values: readonly string[]): number {
  return values.reduce((sum, value) => sum + (value.includes("\n") ? value.split("\n").length - 1 : 0), 0);
}

/** The stream with its first bytes put back, and a look at them. */
async function peek(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  enough: (bytes: Uint8Array) => boolean,
): Promise<{ head: Uint8Array<ArrayBuffer>; stream: ReadableStream<Uint8Array<ArrayBuffer>> }> {
  const reader = stream.getReader();
  let head = new Uint8Array();
  while (!enough(head)) {
    const { value, done } = await reader.read();
    if (done) break;
    const longer = new Uint8Array(head.length + value.length);
    longer.set(head);
    longer.set(value, head.length);
    head = longer;
  }
  let first = true;
  return {
    head,
    stream: new ReadableStream({
      async pull(controller) {
        if (first) {
          first = false;
          if (head.length > 0) return controller.enqueue(head);
        }
        const { value, done } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    }),
  };
}

async function plainStream(path: string): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  const file = (await Deno.open(path, { read: true })).readable;
  const { head, stream } = await peek(file, (bytes) => bytes.length >= GZIP.length);
  const packed = GZIP.every((byte, index) => head[index] === byte);
  return packed ? stream.pipeThrough(new DecompressionStream("gzip")) : stream;
}

/**
 * The records of a file, its header first.
 *
 * @param encoding a label of the Encoding standard, such as `utf-8` or `windows-1251`
 * @throws {SalesflowError} when the file cannot be read, unpacked or parsed
 */
export async function* readExport(path: string, encoding: string): AsyncGenerator<ExportRecord> {
  try {
    const { head, stream } = await peek(
      await plainStream(path),
      (bytes) => bytes.includes(LINE_FEED) || bytes.length > LONGEST_RECORD_BYTES,
    );
    const headerLine = new TextDecoder(encoding).decode(head).split("\n")[0]!;
    const text = stream.pipeThrough(
      new TextDecoderStream(encoding) as unknown as TransformStream<Uint8Array, string>,
    );
    const parser = Readable.fromWeb(text as never).pipe(parse({
      delimiter: findDelimiter(headerLine),
      relax_column_count: true,
      relax_quotes: true,
      max_record_size: LONGEST_RECORD_BYTES,
      record_delimiter: ["\r\n", "\n"],
    }));
    let line = 0;
    for await (const values of parser) {
      line += 1 + lineBreaks(values);
      if (values.length > 1 || values[0].trim() !== "") yield { values, line };
    }
  } catch (cause) {
    throw explain(path, cause);
  }
}

function explain(path: string, cause: unknown): SalesflowError {
  const details = { cause, stage: "ingest" };
  if (cause instanceof Deno.errors.NotFound) {
    return new SalesflowError(`There is no file ${path}`, { ...details, exitCode: 2 });
  }
  const { code, lines } = cause as { code?: string; lines?: number };
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
  return new SalesflowError(`Cannot read ${path}`, {
    ...details,
    remedy: "It must be a CSV file with a header, plain or packed with gzip.",
  });
}
