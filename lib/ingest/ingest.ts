/** Ingest: takes the shop's own CSV exports as `raw/`, one part for each file, values untouched. */
import { basename } from "node:path";
import { SalesflowError, UsageError } from "../console/errors.ts";
import { logger } from "../console/log.ts";
import { writeRun } from "../pipeline/records.ts";
import type { StageContext, StageResult } from "../pipeline/stage.ts";
import { SALE_HEADER } from "../domain/sale.ts";
import { beginDataset, datasetFolder, type Part, partName, publishDataset } from "../dataset/dataset.ts";
import { PartWriter } from "../dataset/part_writer.ts";
import { type ColumnMap, findColumns } from "./header.ts";
import { type ExportRecord, readExport } from "./read_export.ts";

/** What to ingest. */
export interface IngestOptions {
  /** Paths of the exports. */
  files: readonly string[];
  /** The exports' names of our columns, where they differ. */
  map: ColumnMap;
  /** A label of the Encoding standard, such as `utf-8` or `windows-1251`. */
  encoding: string;
}

/** Text is handed to the part writer in pieces of about this size. */
const PIECE_CHARACTERS = 1 << 18;

const EXPORT_AGAIN = "Export the sales again, with their header.";

/** What decoding makes of bytes that the encoding does not know. */
const REPLACEMENT = "\ufffd";

const LINE_BREAKS = /[\r\n]+/g;

/** A value as it stands in a raw line. Raw is line based, so a line break inside a value becomes a blank. */
function field(value: string): string {
  const flat = value.replace(LINE_BREAKS, " ");
  return /[",]/.test(flat) ? `"${flat.replaceAll('"', '""')}"` : flat;
}

/** The raw line of a record. One with too few or too many values becomes a single value, which cleaning refuses as malformed_row. */
export function rawLine(values: readonly string[], columns: readonly number[], headerLength: number): string {
  if (values.length !== headerLength) {
    return `"${values.join(",").replace(LINE_BREAKS, " ").replaceAll('"', '""')}"`;
  }
  return columns.map((column) => field(values[column]!)).join(",");
}

/** One export, opened. */
interface OpenExport {
  /** The records after the header. */
  records: AsyncGenerator<ExportRecord>;
  /** Where each of our columns stands. */
  columns: number[];
  headerLength: number;
}

type Reading = Pick<IngestOptions, "map" | "encoding"> & { signal: AbortSignal };

async function openExport(file: string, { map, encoding, signal }: Reading): Promise<OpenExport> {
  const records = readExport(file, encoding, signal);
  try {
    const header: ExportRecord | undefined = (await records.next()).value;
    if (!header) {
      throw new SalesflowError(`${file} is empty: it has no header`, {
        exitCode: 2,
        stage: "ingest",
        remedy: EXPORT_AGAIN,
      });
    }
    return { records, columns: findColumns(header.values, map, file), headerLength: header.values.length };
  } catch (error) {
    await records.return(undefined);
    throw error;
  }
}

/** Looks at every header before anything is touched: a slip in a name must not cost the raw data that is there. */
async function checkExports(files: readonly string[], reading: Reading): Promise<void> {
  const mistakes: SalesflowError[] = [];
  for (const file of files) {
    // What is read once, such as a pipe, is left for later.
    const kind = await Deno.stat(file).catch(() => undefined);
    if (kind?.isFifo || kind?.isCharDevice) continue;
    try {
      await (await openExport(file, reading)).records.return(undefined);
    } catch (error) {
      if (!(error instanceof SalesflowError)) throw error;
      mistakes.push(error);
    }
  }
  if (mistakes.length === 1) throw mistakes[0];
  if (mistakes.length > 1) {
    throw new UsageError(
      mistakes.map(({ message }) => message),
      mistakes.find(({ remedy }) => remedy)?.remedy,
    );
  }
}

/**
 * Runs the stage.
 *
 * @throws {SalesflowError} when a file cannot be read, lacks a column, or all of them together hold no rows
 */
export async function ingest(context: StageContext, options: IngestOptions): Promise<StageResult> {
  const { runId, asOf, store, signal } = context;
  const { files, ...rest } = options;
  const reading = { ...rest, signal };
  await checkExports(files, reading);
  const folder = datasetFolder(runId, "raw");
  const names = files.map((file) => basename(file));
  await beginDataset(store, folder);
  await writeRun(store, { run_id: runId, as_of: asOf, source: "ingested", parameters: { files: names } });
  const parts: Part[] = [];
  let rows = 0;
  for (const [index, file] of files.entries()) {
    const before = rows;
    const source = await openExport(file, reading);
    const target = { file, encoding: reading.encoding, name: partName(index) };
    const part = await copyRows(context, source, target, (done) => context.progress(before + done));
    parts.push(part);
    rows += part.rows;
  }
  if (rows === 0) {
    throw new SalesflowError(`There are no sales in ${files.join(", ")}`, {
      stage: "ingest",
      exitCode: 2,
      remedy: EXPORT_AGAIN,
    });
  }
  signal.throwIfAborted();
  const facts = { source: "ingested", files: names };
  await publishDataset(store, { dataset: "raw", runId, asOf, engine: "native", facts }, parts);
  return { rowsIn: rows, rowsOut: rows, facts };
}

async function copyRows(
  { runId, store, signal }: StageContext,
  { records, columns, headerLength }: OpenExport,
  { file, encoding, name }: { file: string; encoding: string; name: string },
  progress: (rows: number) => void,
): Promise<Part> {
  const writer = await PartWriter.create(store, datasetFolder(runId, "raw"), name, SALE_HEADER);
  const encoder = new TextEncoder();
  let piece = "";
  let rows = 0;
  let line = 1;
  let broken = false;
  const flush = async () => {
    signal.throwIfAborted();
    broken ||= piece.includes(REPLACEMENT);
    await writer.write(encoder.encode(piece));
    piece = "";
    progress(rows);
  };
  try {
    for await (const record of records) {
      // Empty lines stand in for those that the export has more, so that line numbers stay those of the export.
      for (line++; line < record.line; line++) {
        piece += "\n";
        if (piece.length >= PIECE_CHARACTERS) await flush();
      }
      piece += rawLine(record.values, columns, headerLength) + "\n";
      rows++;
      if (piece.length >= PIECE_CHARACTERS) await flush();
    }
    await flush();
    if (broken) {
      logger("ingest").warn("{file} holds bytes that are not {encoding}; name its encoding with --encoding", {
        file,
        encoding,
      });
    }
    return await writer.close(rows);
  } catch (error) {
    await writer.abort();
    throw error;
  }
}
