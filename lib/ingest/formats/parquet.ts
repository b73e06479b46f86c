/** Reads Parquet files, one row group at a time. */
import {
  type AsyncBuffer,
  type DecodedArray,
  type FileMetaData,
  parquetMetadataAsync,
  parquetSchema,
  type SchemaTree,
} from "hyparquet";
import { SalesflowError } from "../../console/errors.ts";
import { damagedFile, fileError, unreadableFile } from "./file_error.ts";
import {
  columnsOf,
  type ParquetColumn,
  parsersOf,
  PHYSICAL_PARSERS,
  physicalSchema,
} from "./parquet_columns.ts";
import { readColumn } from "./parquet_row_group.ts";
import type { DecimalMark } from "./plain_number.ts";

/** Rows that follow one another. */
export interface ParquetRows {
  /** For each row the texts of the wanted columns, in their order; null is empty. */
  rows: string[][];
  /** Number of the first row in the file, from 1. */
  line: number;
}

/** What to read. */
export interface ParquetReadOptions {
  /**
   * Indexes of the wanted columns.
   *
   * @default all
   */
  columns?: readonly number[];
  /**
   * Indexes of the wanted row groups.
   *
   * @default all
   */
  rowGroups?: readonly number[];
  /**
   * Mark before the decimals of numbers.
   *
   * @default {"."}
   */
  decimal?: DecimalMark;
}

/** Maximum number of rows that are yielded at once: the texts of a whole row group would take several times its memory. */
const BATCH_ROWS = 10_000;

/** Maximum number of rows of a row group; longer arrays are hash tables in V8. */
const MAX_GROUP_ROWS = 2 ** 25;

const FORMAT = "Parquet file";
const ENCRYPTED_FOOTER = "PARE";
const MAGIC_BYTES = 4;

/** Random access to a file on disk. */
class FileBuffer implements AsyncBuffer {
  readonly byteLength: number;
  readonly #file: Deno.FsFile;
  #last: Promise<unknown> = Promise.resolve();

  constructor(file: Deno.FsFile, byteLength: number) {
    this.#file = file;
    this.byteLength = byteLength;
  }

  /** Returns the bytes from `start` to before `end`; one call waits for another, since a file has one position. */
  slice(start: number, end: number = this.byteLength): Promise<ArrayBuffer> {
    const result = this.#last.then(() => this.#read(start, end));
    this.#last = result.catch(() => {});
    return result;
  }

  async #read(start: number, end: number): Promise<ArrayBuffer> {
    if (!(start >= 0 && start <= end && end <= this.byteLength)) {
      throw new Error(`there are no bytes ${start} to ${end}`);
    }
    const bytes = new Uint8Array(end - start);
    await this.#file.seek(start, Deno.SeekMode.Start);
    for (let filled = 0; filled < bytes.length;) {
      const count = await this.#file.read(bytes.subarray(filled));
      if (count === null) throw new Error(`the file ends before byte ${end}`);
      filled += count;
    }
    return bytes.buffer;
  }
}

/** An open Parquet file. */
export class ParquetFile implements Disposable {
  readonly #file: Deno.FsFile;
  readonly #buffer: FileBuffer;
  readonly #metadata: FileMetaData;
  /** The schema as it is stored. */
  readonly #schema: SchemaTree;
  readonly #columns: readonly ParquetColumn[];

  private constructor(file: Deno.FsFile, buffer: FileBuffer, metadata: FileMetaData, readonly name: string) {
    const schema = parquetSchema(metadata);
    this.#file = file;
    this.#buffer = buffer;
    this.#columns = columnsOf(schema);
    this.#metadata = metadata;
    this.#schema = parquetSchema({ schema: physicalSchema(schema) });
  }

  /**
   * Opens a file and reads what columns and row groups it has.
   *
   * @param file path on disk, and its name for errors
   * @throws {SalesflowError} when the file is damaged or encrypted
   */
  static async open({ path, name }: { path: string; name: string }): Promise<ParquetFile> {
    const file = await Deno.open(path, { read: true }).catch((error) => {
      throw unreadableFile(name, error);
    });
    try {
      const buffer = new FileBuffer(file, (await file.stat()).size);
      const end = await buffer.slice(Math.max(0, buffer.byteLength - MAGIC_BYTES));
      if (new TextDecoder().decode(end) === ENCRYPTED_FOOTER) throw encrypted(name);
      return new ParquetFile(file, buffer, await parquetMetadataAsync(buffer, { geoparquet: false }), name);
    } catch (error) {
      file.close();
      throw toParquetError(name, error);
    }
  }

  /** Names of the columns; members of structures with points, as in `order.id`. Lists and maps are one column each. */
  get columns(): string[] {
    return this.#columns.map(({ name }) => name);
  }

  /** Number of rows of each row group. */
  get rowGroups(): number[] {
    return this.#metadata.row_groups.map(({ num_rows }) => Number(num_rows));
  }

  /**
   * Reads rows; keeps one row group in memory.
   *
   * Whole numbers and decimals are exact, other numbers the shortest decimals that read back the same; dates are `yyyy-MM-dd`,
   * times `yyyy-MM-dd HH:mm:ss` with fractions of a second, if any, and with `Z` when they count in UTC; lists and maps are JSON.
   *
   * @throws {SalesflowError} when the file is damaged, encrypted, or written in a way that is not supported
   */
  async *read(
    { columns = this.#columns.keys().toArray(), rowGroups = this.rowGroups.keys().toArray(), decimal = "." }:
      ParquetReadOptions = {},
  ): AsyncGenerator<ParquetRows> {
    const wanted = columns.map((index) => this.#columns[index]!);
    try {
      for (const group of rowGroups) yield* this.#readGroup(group, wanted, decimal);
    } catch (error) {
      throw toParquetError(this.name, error);
    }
  }

  async *#readGroup(
    group: number,
    wanted: readonly ParquetColumn[],
    decimal: DecimalMark,
  ): AsyncGenerator<ParquetRows> {
    const formats = wanted.map((column) => column.makeFormat(decimal));
    const counts = this.rowGroups;
    const count = counts[group]!;
    const start = counts.slice(0, group).reduce((sum, rows) => sum + rows, 0);
    const names = [...new Set(wanted.map(({ path }) => path[0]!))];
    const rowGroup = this.#metadata.row_groups[group]!;
    const isEncrypted = rowGroup.columns.some(({ crypto_metadata, meta_data }) =>
      crypto_metadata !== undefined && (!meta_data || names.includes(meta_data.path_in_schema[0]!))
    );
    if (isEncrypted) throw encrypted(this.name);
    if (count === 0) return;
    if (count > MAX_GROUP_ROWS) {
      throw fileError(
        `${this.name} has ${count} rows in one row group, more than ${MAX_GROUP_ROWS}`,
        "Write it again with smaller row groups, such as of a million rows.",
      );
    }
    const values = new Map<string, DecodedArray>();
    for (const name of names) {
      const leaf = wanted.find(({ path, isText }) => isText && path.length === 1 && path[0] === name);
      const parsers = leaf ? parsersOf(leaf.makeFormat(decimal)) : PHYSICAL_PARSERS;
      values.set(name, await readColumn(this.#buffer, this.#schema, rowGroup, name, parsers));
    }
    for (let from = 0; from < count; from += BATCH_ROWS) {
      const rows = Array.from(
        { length: Math.min(BATCH_ROWS, count - from) },
        () => new Array<string>(wanted.length),
      );
      wanted.forEach(({ path }, column) => {
        const [name, ...members] = path;
        const all = values.get(name!)!;
        const format = formats[column]!;
        for (let row = 0; row < rows.length; row++) {
          let value = all[from + row];
          for (const member of members) value = value?.[member];
          rows[row]![column] = typeof value === "string"
            ? value
            : value === null || value === undefined
            ? ""
            : format(value);
        }
      });
      yield { rows, line: start + from + 1 };
    }
  }

  /** Closes the file. */
  close(): void {
    this.#file.close();
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.close();
  }
}

function encrypted(name: string): SalesflowError {
  return fileError(`${name} is an encrypted ${FORMAT}`, "Write it again without encryption.");
}

function toParquetError(name: string, cause: unknown): Error {
  if (cause instanceof SalesflowError) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  if (/unsupported|not supported/.test(message)) {
    return fileError(
      `${name} is a ${FORMAT} that cannot be read: ${message}`,
      "Write it again with common types, plain or dictionary encoding, and snappy or zstd compression.",
      cause,
    );
  }
  return damagedFile(name, FORMAT, cause);
}
