/** Stage ingest: copies CSV exports to `raw/`, one part per file, with unchanged values. */
import { basename } from "node:path";
import { SalesflowError, UsageError } from "../console/errors.ts";
import { logger } from "../console/log.ts";
import { writeRun } from "../pipeline/records.ts";
import type { StageContext, StageResult } from "../pipeline/stage.ts";
import { SALE_HEADER } from "../domain/sale.ts";
import { clearDataset, datasetFolder, type Part, partName, publishDataset } from "../dataset/dataset.ts";
import { PartWriter } from "../dataset/part_writer.ts";
import { type ColumnMap, findColumns } from "./header.ts";
import { type ExportRecord, readExport } from "./read_export.ts";

/** Options of the stage ingest. */
export interface IngestOptions {
  /** Paths of the exports, in the order of the parts. */
  files: readonly string[];
  /** Names of our columns in the exports, where they differ. */
  map: ColumnMap;
  /** Label from the Encoding standard, such as `utf-8` or `windows-1251`. */
  encoding: string;
}

/** Buffered characters above which the rows are passed to the part writer. */
const FLUSH_CHARACTERS = 1 << 18;

const EXPORT_AGAIN_REMEDY = "Export the sales again, with a header.";

/** Replaces invalid bytes in decoded text. */
const REPLACEMENT = "\ufffd";

const LINE_BREAKS = /[\r\n]+/g;

/** Formats a value as a field of a raw line. Raw is line-based, so line breaks within a value become a space. */
function formatField(value: string): string {
  const singleLine = value.replace(LINE_BREAKS, " ");
  return /[",]/.test(singleLine) ? `"${singleLine.replaceAll('"', '""')}"` : singleLine;
}

/**
 * Formats a record as a raw line. A record with too few or too many values becomes a single quoted field, which clean rejects
 * as malformed_row.
 *
 * @param values values of the record
 * @param columns index of each of our columns in the record
 * @param headerLength number of columns of the export
 */
export function formatRawLine(
  values: readonly string[],
  columns: readonly number[],
  headerLength: number,
): string {
  if (values.length !== headerLength) {
    return `"${values.join(",").replace(LINE_BREAKS, " ").replaceAll('"', '""')}"`;
  }
  return columns.map((column) => formatField(values[column]!)).join(",");
}

/** An export whose header has been read. */
interface OpenExport {
  /** Records after the header. */
  records: AsyncGenerator<ExportRecord>;
  /** Index of each of our columns. */
  columns: number[];
  headerLength: number;
}

type ReadOptions = Pick<IngestOptions, "map" | "encoding"> & { signal: AbortSignal };

async function openExport(file: string, { map, encoding, signal }: ReadOptions): Promise<OpenExport> {
  const records = readExport(file, encoding, signal);
  try {
    const header: ExportRecord | undefined = (await records.next()).value;
    if (!header) {
      throw new SalesflowError(`${file} is empty: it has no header`, {
        exitCode: 2,
        stage: "ingest",
        remedy: EXPORT_AGAIN_REMEDY,
      });
    }
    return { records, columns: findColumns(header.values, map, file), headerLength: header.values.length };
  } catch (error) {
    await records.return(undefined);
    throw error;
  }
}

/**
 * Checks that every file can be read and has the needed columns. Run before the stage, so that a typo costs neither the
 * existing raw data nor leaves a record of a failed stage.
 *
 * @throws {SalesflowError} listing the mistakes of all files
 */
export async function checkExports(
  { files, ...options }: IngestOptions,
  signal: AbortSignal,
): Promise<void> {
  const readOptions = { ...options, signal };
  const mistakes: SalesflowError[] = [];
  for (const file of files) {
    // Pipes and devices can be read only once; their headers are checked later.
    const info = await Deno.stat(file).catch(() => undefined);
    if (info?.isFifo || info?.isCharDevice) continue;
    try {
      await (await openExport(file, readOptions)).records.return(undefined);
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
 * Runs the stage. Its exports should have passed {@linkcode checkExports}.
 *
 * @throws {SalesflowError} when a file cannot be read or lacks a column, or when none of the files holds a row
 */
export async function ingest(context: StageContext, options: IngestOptions): Promise<StageResult> {
  const { runId, asOf, store, signal } = context;
  const { files, ...rest } = options;
  const readOptions = { ...rest, signal };
  const folder = datasetFolder(runId, "raw");
  const names = files.map((file) => basename(file));
  await clearDataset(store, folder);
  await writeRun(store, { run_id: runId, as_of: asOf, source: "ingested", parameters: { files: names } });
  const parts: Part[] = [];
  let rows = 0;
  for (const [index, file] of files.entries()) {
    const rowsBefore = rows;
    const source = await openExport(file, readOptions);
    const target = { file, encoding: readOptions.encoding, name: partName(index) };
    const part = await copyRows(context, source, target, (done) => context.progress(rowsBefore + done));
    parts.push(part);
    rows += part.rows;
  }
  if (rows === 0) {
    throw new SalesflowError(`There are no sales in ${files.join(", ")}`, {
      stage: "ingest",
      exitCode: 2,
      remedy: EXPORT_AGAIN_REMEDY,
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
  let buffer = "";
  let rows = 0;
  let line = 1;
  let hasInvalidBytes = false;
  const flush = async () => {
    signal.throwIfAborted();
    hasInvalidBytes ||= buffer.includes(REPLACEMENT);
    await writer.write(encoder.encode(buffer));
    buffer = "";
    progress(rows);
  };
  try {
    for await (const record of records) {
      // Empty lines fill gaps, so that line numbers match those of the export.
      for (line++; line < record.line; line++) {
        buffer += "\n";
        if (buffer.length >= FLUSH_CHARACTERS) await flush();
      }
      buffer += formatRawLine(record.values, columns, headerLength) + "\n";
      rows++;
      if (buffer.length >= FLUSH_CHARACTERS) await flush();
    }
    await flush();
    if (hasInvalidBytes) {
      logger("ingest").warn(
        "{file} holds bytes that are invalid in {encoding}; set its encoding with --encoding",
        {
          file,
          encoding,
        },
      );
    }
    return await writer.close(rows);
  } catch (error) {
    await writer.abort();
    throw error;
  }
}
