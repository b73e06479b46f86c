/** Reads the beginning of an export whose columns are not known yet: finds its encoding, its sheet and its header. */
import { SalesflowError } from "../../console/errors.ts";
import type { ChunkContent } from "../chunks/chunk.ts";
import { openExport } from "../open_export.ts";
import type { OpenedExport } from "../opened_export.ts";
import { ByteStream } from "../formats/byte_stream.ts";
import { CsvReader } from "../formats/csv_records.ts";
import { JsonLinesReader, listMembers } from "../formats/json_lines.ts";
import { ParquetFile } from "../formats/parquet.ts";
import { type FileKind, unpack, type UnpackedFile } from "../formats/unpack.ts";
import type { Input } from "../inputs.ts";
import type { FormatRules, SourceFile } from "../source/source_file.ts";
import { countRoles } from "./vocabulary.ts";

/** Records that are looked at. */
export const MAX_RECORDS = 5_000;
/** Lines among which the header is looked for, and sheets. */
const MAX_HEADER_LINE = 20;
const MAX_SHEETS = 6;
const HEAD_BYTES = 1 << 20;
const MAX_MEMBERS_LINES = 1_000;
/** Encodings that are tried when a text is not UTF-8. */
const ENCODINGS = ["windows-1251", "windows-1252"];

/** The beginning of an export. */
export interface Sample {
  /** What the source file must say so that the export is read so. */
  format: FormatRules;
  /** Names of the columns. */
  names: readonly string[];
  /** Values of the records. */
  records: readonly (readonly string[])[];
  /** Whether all records were looked at. */
  isWhole: boolean;
}

/** Returns a source file that needs no column, and takes those that there are. */
function anySource(format: FormatRules, names: readonly string[]): SourceFile {
  const rule = { kind: "join" as const, parts: names.map((text) => ({ text })), with: "" };
  return {
    path: "suggestion",
    files: [],
    format,
    only: [],
    columns: {
      sale_id: rule,
      customer_id: rule,
      product_id: rule,
      quantity: rule,
      sale_date: rule,
      sale_amount: rule,
      region: rule,
    },
    roundAmounts: false,
    onConflict: "first",
  };
}

/** Opens the first export of a file; calls back while it is open. */
async function withFirst<T>(input: Input, work: (file: UnpackedFile) => Promise<T>): Promise<T> {
  const { bytes, localPath } = await input.open();
  const tempFolder = await Deno.makeTempDir({ prefix: "salesflow-suggest-" });
  try {
    const file = { name: input.path, bytes, ...(localPath === undefined ? {} : { path: localPath }) };
    for await (const entry of unpack(file, { tempFolder })) return await work(entry);
    throw new SalesflowError(`${input.path} is empty`, {
      exitCode: 2,
      stage: "ingest",
      remedy: "Export the sales again.",
    });
  } finally {
    await Deno.remove(tempFolder, { recursive: true });
  }
}

async function withExport<T>(
  input: Input,
  format: FormatRules,
  names: readonly string[],
  work: (opened: OpenedExport) => Promise<T>,
): Promise<T> {
  return await withFirst(input, async (file) => {
    const opened = await openExport(file, { source: anySource(format, names), copies: false });
    try {
      return await work(opened);
    } finally {
      await opened.close();
    }
  });
}

/** Returns the names of columns of formats that have no header line. */
async function readNames(input: Input): Promise<{ kind: FileKind; names: readonly string[] }> {
  return await withFirst(input, async (file) => {
    if (file.kind === "jsonl") {
      const stream = new ByteStream(file.bytes);
      const head = await stream.peek(HEAD_BYTES);
      await stream.close();
      return { kind: file.kind, names: listMembers(new TextDecoder().decode(head), MAX_MEMBERS_LINES) };
    }
    if (file.kind === "parquet") {
      using parquet = await ParquetFile.open({ path: file.path, name: file.name });
      return { kind: file.kind, names: parquet.columns };
    }
    return { kind: file.kind, names: [] };
  });
}

function readText(content: ChunkContent & { kind: "text" }, names: readonly string[]): string[][] {
  const { format, bytes, isLast } = content;
  const text = new TextDecoder(format.type === "csv" ? format.encoding : "utf-8").decode(bytes);
  const reader = format.type === "csv"
    ? new CsvReader(format.dialect)
    : new JsonLinesReader(names, { decimal: format.decimal });
  if (reader instanceof CsvReader) reader.columns = names.length;
  const records: string[][] = [];
  reader.read(text, 1, isLast, (values) => {
    if (values) records.push([...values]);
    return records.length < MAX_RECORDS ? undefined : false;
  });
  return records;
}

async function readRecords({ chunks, header }: OpenedExport): Promise<Pick<Sample, "records" | "isWhole">> {
  const records: (readonly string[])[] = [];
  for await (const chunk of chunks) {
    const more = chunk.kind === "text"
      ? readText(chunk, header.names)
      : chunk.records.flatMap(({ values }) => values ? [values] : []);
    records.push(...more);
    if (records.length >= MAX_RECORDS || (chunk.kind === "text" && !chunk.isLast)) {
      return { records: records.slice(0, MAX_RECORDS), isWhole: false };
    }
  }
  return { records, isWhole: true };
}

/** A place where the header may be. */
interface Place {
  format: FormatRules;
  roles: number;
}

/** Returns the names on a line; undefined when there is no such line or sheet. */
async function tryNames(input: Input, format: FormatRules): Promise<readonly string[] | undefined> {
  try {
    return await withExport(input, format, [], ({ header }) => Promise.resolve(header.names));
  } catch (error) {
    if (error instanceof SalesflowError && error.exitCode === 2) return undefined;
    throw error;
  }
}

/** Returns where most names are known. */
async function findPlace(input: Input, formats: readonly FormatRules[]): Promise<Place | undefined> {
  let best: Place | undefined;
  for (const format of formats) {
    for (let header = 1; header <= MAX_HEADER_LINE; header++) {
      const names = await tryNames(input, { ...format, header });
      if (names === undefined) continue;
      const roles = countRoles(names);
      if (!best || roles > best.roles) best = { format: { ...format, header }, roles };
    }
  }
  return best;
}

async function isUtf8(input: Input): Promise<boolean> {
  return await withFirst(input, async (file) => {
    if (file.kind !== "csv") return true;
    const stream = new ByteStream(file.bytes);
    const head = await stream.peek(HEAD_BYTES);
    await stream.close();
    const hasMark = head[0] === 0xff || head[0] === 0xfe;
    return hasMark || !new TextDecoder().decode(head, { stream: true }).includes("\ufffd");
  });
}

/**
 * Reads the beginning of an export.
 *
 * @throws {SalesflowError} when it cannot be read, or has no header of names that are known
 */
export async function readSample(input: Input): Promise<Sample> {
  if (input.readOnce) {
    throw new SalesflowError(`${input.path} can be read only once`, {
      exitCode: 2,
      stage: "ingest",
      remedy: "Save it to a file: it is read several times.",
    });
  }
  const { kind, names: members } = await readNames(input);
  if (kind === "jsonl" || kind === "parquet") {
    const sample = await withExport(input, {}, members, async (opened) => ({
      names: opened.header.names,
      ...await readRecords(opened),
    }));
    return { format: {}, ...sample };
  }
  const formats: FormatRules[] = kind === "xlsx"
    ? Array.from({ length: MAX_SHEETS }, (_, index) => ({ sheet: String(index + 1) }))
    : await isUtf8(input)
    ? [{}]
    : ENCODINGS.map((encoding) => ({ encoding }));
  const place = await findPlace(input, formats);
  if (!place || place.roles < 3) {
    throw new SalesflowError(
      `${input.path} has no header with names that are known, such as quantity or price`,
      {
        exitCode: 2,
        stage: "ingest",
        remedy: "Write the source file by hand: docs/sources.md.",
      },
    );
  }
  const { names, ...records } = await withExport(input, place.format, [], async (opened) => ({
    names: opened.header.names.map((name) => name.trim()),
    ...await readRecords(opened),
  }));
  const { header, sheet, ...rest } = place.format;
  const format = {
    ...rest,
    ...(sheet === "1" || sheet === undefined ? {} : { sheet }),
    ...(header === 1 ? {} : { header: header! }),
  };
  return { format, names, ...records };
}
