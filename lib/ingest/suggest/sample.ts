/** Reads a bounded sample of exports of which nothing is known. */
import { SalesflowError, UsageError } from "../../console/errors.ts";
import { findEncoding, hasLoneReturns, replaceReturns } from "../chunks/cut_lines.ts";
import { ByteStream } from "../formats/byte_stream.ts";
import { JsonLinesReader, listMembers } from "../formats/json_lines.ts";
import { ParquetFile } from "../formats/parquet.ts";
import type { UnpackedFile } from "../formats/unpack.ts";
import { unpack } from "../formats/unpack.ts";
import { readSheet } from "../formats/workbook.ts";
import { readWorkbook } from "../formats/workbook_parts.ts";
import { ZipArchive } from "../formats/zip_archive.ts";
import type { Input } from "../inputs.ts";
import { HeaderNames, normalizeName } from "../source/header_names.ts";
import { findHeaderRow, findTable, type FoundHeader, type TableRow } from "./find_table.ts";
import { guessEncoding } from "./guess_encoding.ts";

/** Records that are looked at, of all files. */
const MAX_ROWS = 20_000;
/** Bytes of a text that are looked at. */
const MAX_BYTES = 4 << 20;
/** Files that are looked at. */
const MAX_FILES = 50;
/** Objects whose members are the columns that there are. */
const LISTED_OBJECTS = 1_000;

/** What was seen of exports. */
export interface Sample {
  /** Names of the columns. */
  names: readonly string[];
  /** Values of records, in the order of the names. */
  rows: (readonly string[])[];
  /** Lines that are no records. */
  broken: number;
  /** Line of the header, from 1; 0 where a format has none. */
  headerLine: number;
  /** Paths of the files that were looked at. */
  files: string[];
  /** Files whose columns are others. */
  others: string[];
  /** Whether there is more than was looked at. */
  isPart: boolean;
  /** Encoding that a source file must name. */
  encoding?: string;
  /** Sheet that a source file must name. */
  sheet?: string;
  /** Whether numbers have a type, so that they are written with a point. */
  isTyped: boolean;
}

type Table = Pick<
  Sample,
  "names" | "rows" | "broken" | "headerLine" | "encoding" | "sheet" | "isPart" | "isTyped"
>;

async function sampleText(file: UnpackedFile & { kind: "csv" | "jsonl" }): Promise<Table | undefined> {
  const stream = new ByteStream(file.bytes);
  try {
    const head = await stream.peek(MAX_BYTES);
    const isWhole = head.length < MAX_BYTES;
    const named = file.kind === "csv" ? guessEncoding(head) : undefined;
    let bytes: Uint8Array = head;
    if (hasLoneReturns(head.subarray(0, 1 << 16))) {
      const pieces = await Array.fromAsync(replaceReturns(toPieces(head)));
      bytes = pieces[0]!;
    }
    const text = new TextDecoder(findEncoding(head, named)).decode(bytes);
    const table = file.kind === "csv" ? sampleCsv(text, isWhole) : sampleJson(text, isWhole);
    return table && { ...table, ...(named === undefined ? {} : { encoding: named }) };
  } finally {
    await stream.close();
  }
}

async function* toPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}

function sampleCsv(text: string, isWhole: boolean): Table | undefined {
  const found = findTable(text, isWhole, MAX_ROWS);
  if (!found) return undefined;
  const { header, rows } = found;
  const records = rows.filter((row) => row !== undefined);
  return {
    names: header.names,
    rows: records,
    broken: rows.length - records.length,
    headerLine: header.line,
    isPart: !isWhole || rows.length >= MAX_ROWS,
    isTyped: false,
  };
}

function sampleJson(text: string, isWhole: boolean): Table | undefined {
  const names = listMembers(text, LISTED_OBJECTS);
  if (names.length === 0) return undefined;
  const rows: string[][] = [];
  let broken = 0;
  new JsonLinesReader(names.map(normalizeName)).read(text, 1, isWhole, (values) => {
    if (!values) broken++;
    else if (rows.length < MAX_ROWS) rows.push(values);
  });
  return { names, rows, broken, headerLine: 0, isPart: !isWhole || rows.length >= MAX_ROWS, isTyped: true };
}

async function readRows(file: { path: string; name: string }, sheet: string): Promise<TableRow[]> {
  const rows: TableRow[] = [];
  for await (const batch of readSheet(file, { sheet })) {
    for (const row of batch) rows.push(row);
    if (rows.length >= MAX_ROWS) break;
  }
  return rows;
}

/** Takes the sheet that looks most like a table of sales: the first one may be a cover. */
async function sampleWorkbook(file: { path: string; name: string }): Promise<Table | undefined> {
  const sheets = await listSheets(file);
  let best: { header: FoundHeader; rows: TableRow[]; sheet: string } | undefined;
  for (const sheet of sheets) {
    const rows = await readRows(file, sheet);
    const header = findHeaderRow(rows);
    if (header && header.score > (best?.header.score ?? 0)) best = { header, rows, sheet };
  }
  if (!best) return undefined;
  const names = [...best.header.names];
  while (names.at(-1)?.trim() === "") names.pop();
  const rows = best.rows.filter(({ line }) => line > best.header.line)
    .map(({ values }) => names.map((_, index) => values[index] ?? ""));
  return {
    names,
    rows,
    broken: 0,
    headerLine: best.header.line,
    isPart: best.rows.length >= MAX_ROWS,
    isTyped: true,
    ...(best.sheet === sheets[0] ? {} : { sheet: best.sheet }),
  };
}

async function listSheets({ path, name }: { path: string; name: string }): Promise<string[]> {
  using archive = await ZipArchive.open(path, name);
  const { sheets } = await readWorkbook(archive);
  return sheets.filter(({ hasCells }) => hasCells).map((sheet) => sheet.name);
}

async function sampleParquet(file: { path: string; name: string }): Promise<Table> {
  using parquet = await ParquetFile.open(file);
  const rows: string[][] = [];
  let isPart = false;
  for await (const batch of parquet.read()) {
    for (const row of batch.rows) rows.push(row.map((value) => value ?? ""));
    if ((isPart = rows.length >= MAX_ROWS)) break;
  }
  return { names: parquet.columns, rows, broken: 0, headerLine: 0, isPart, isTyped: true };
}

function sampleFile(file: UnpackedFile): Promise<Table | undefined> {
  switch (file.kind) {
    case "csv":
    case "jsonl":
      return sampleText(file);
    case "xlsx":
      return sampleWorkbook(file);
    case "parquet":
      return sampleParquet(file);
  }
}

/** Adds the records of a further file; its columns may stand in another order. */
function addTable(sample: Sample, table: Table, file: string): void {
  const header = new HeaderNames(table.names);
  const indexes = sample.names.map((name) => header.find(name));
  if (indexes.some((index) => index === undefined)) {
    sample.others.push(file);
    return;
  }
  sample.files.push(file);
  sample.broken += table.broken;
  sample.isPart ||= table.isPart;
  for (const row of table.rows) {
    if (sample.rows.length >= MAX_ROWS) {
      sample.isPart = true;
      return;
    }
    sample.rows.push(indexes.map((index) => row[index!]!));
  }
}

/**
 * Reads the first records of exports: of the first file that holds a table, and of those after it that have its columns.
 *
 * @throws {SalesflowError} when a file cannot be read, or none has a header and a record
 */
export async function takeSample(inputs: readonly Input[]): Promise<Sample> {
  let sample: Sample | undefined;
  const empty: string[] = [];
  for (const input of inputs.slice(0, MAX_FILES)) {
    const { bytes, localPath } = await input.open();
    const tempFolder = await Deno.makeTempDir({ prefix: "salesflow-suggest-" });
    try {
      const file = { name: input.path, bytes, ...(localPath === undefined ? {} : { path: localPath }) };
      for await (const entry of unpack(file, { tempFolder })) {
        const table = await sampleFile(entry);
        if (!table || table.rows.length === 0) empty.push(entry.name);
        else if (sample) addTable(sample, table, entry.name);
        else sample = { ...table, files: [entry.name], others: [] };
      }
    } finally {
      await Deno.remove(tempFolder, { recursive: true });
    }
  }
  if (sample) return { ...sample, isPart: sample.isPart || inputs.length > MAX_FILES };
  throw new UsageError(
    empty.map((file) => `${file} has no header with sales below it, in its first lines`),
    "Export the sales again, with a header of names.",
  ) satisfies SalesflowError;
}
