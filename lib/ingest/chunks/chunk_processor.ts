/** Parses a chunk of an export, and maps its records to raw lines. Runs in a worker thread. No I/O. */
import xxhash from "xxhash-wasm";
import { SALE_COLUMNS, SALE_HEADER } from "../../domain/sale.ts";
import { CsvReader, type QuoteRemark } from "../formats/csv_records.ts";
import { JsonLinesReader } from "../formats/json_lines.ts";
import { findLineWithins } from "../source/compile_rule.ts";
import { normalizeName } from "../source/header_names.ts";
import type { Mapper } from "../source/record_mapper.ts";
import type { SourceFile } from "../source/source_file.ts";
import type {
  ChunkContent,
  ChunkRecord,
  ChunkState,
  ChunkTask,
  ChunkWorkerData,
  MappedChunk,
  ParsedChunk,
  TextFormat,
} from "./chunk.ts";
import { DistinctRows, type KeyHashes } from "./fill_down.ts";
import { MapperSet } from "./mapper_set.ts";
import { RawLines } from "./raw_lines.ts";
import { SurrogateCollector } from "./surrogates.ts";
import { countVerbatimLines, type VerbatimLines } from "./verbatim.ts";

const NO_NUMBERS: readonly number[] = [];

/** Replaces invalid bytes in decoded text. */
const REPLACEMENT = "\ufffd";

const { h32 } = await xxhash();

/** A record with the mapper of its header. */
interface PlacedRecord extends ChunkRecord {
  mapper: Mapper;
  /** Whether it is the header again. */
  isHeader: boolean;
}

/** What the first step leaves to the last one: records, or all that comes of them when it does not depend on lines above. */
type Parsed =
  | { kind: "raw"; bytes: Uint8Array<ArrayBuffer>; rows: number }
  | { kind: "records"; records: PlacedRecord[]; lines: number };

/** Processes chunks one after another. */
export class ChunkProcessor {
  readonly #data: ChunkWorkerData;
  readonly #mappers: MapperSet;
  readonly #lineWithins: number;
  readonly #dependsOnLinesAbove: boolean;
  /** Whether rows with our header are copied column by column. */
  readonly #copiesInOrder: boolean;
  #content: ChunkContent | undefined;
  #parsed: Parsed | undefined;
  readonly #surrogates: SurrogateCollector;

  /** Prepares the rules. */
  constructor(data: ChunkWorkerData) {
    this.#data = data;
    const { source } = data.rules;
    this.#lineWithins = findLineWithins(source).length;
    this.#dependsOnLinesAbove = this.#lineWithins > 0 || source.fillDown !== undefined;
    this.#copiesInOrder = data.rules.copies && isIdentity(source.columns);
    this.#surrogates = new SurrogateCollector(data.seeds[2]);
    this.#mappers = new MapperSet(data.rules, (key, text) => this.#surrogates.add(key, text));
  }

  /** Runs one step. */
  run(task: ChunkTask): ParsedChunk | MappedChunk {
    if (task.step === "map") return this.#map(task);
    if (task.step === "parse") this.#content = task.content;
    else this.#discardFound();
    return this.#parse(this.#content!, task.state);
  }

  #parse(content: ChunkContent, state: ChunkState): ParsedChunk {
    if (this.#isVerbatim(content, state)) {
      const lines = countVerbatimLines(content.bytes, SALE_COLUMNS.length);
      if (lines) return this.#takeVerbatim(content.bytes, lines, state);
    }
    const remarks: QuoteRemark[] = [];
    const records: PlacedRecord[] = [];
    const raw = new RawLines();
    const sink = new RecordSink(
      this.#mappers,
      state.header,
      this.#dependsOnLinesAbove
        ? (record) => void records.push(record)
        : (record) => mapRecord(record, NO_NUMBERS, raw),
    );
    let rest = "";
    let lines: number;
    let hasInvalidBytes = false;
    if (content.kind === "records") {
      lines = content.lines;
      for (const { values, text, line } of content.records) sink.add(values, text, line, 1);
    } else {
      const decoded = decode(content);
      hasInvalidBytes = decoded.includes(REPLACEMENT);
      const text = state.rest + decoded;
      const reader = makeReader(content.format, state.header);
      ({ rest, line: lines } = reader.read(
        text,
        1,
        content.isLast,
        (values, recordText, line, recordLines) => {
          sink.add(values, values ? undefined : recordText, line, recordLines);
        },
      ));
      lines--;
      if (reader instanceof CsvReader) remarks.push(...reader.remarks);
      checkLines(lines, countLines(text, content.isLast) - countLines(rest, false));
    }
    if (this.#dependsOnLinesAbove) this.#parsed = { kind: "records", records, lines };
    else this.#parsed = takeRaw(raw, lines);
    const { count, inside } = sink;
    return {
      state: { rest, header: sink.header },
      counts: { records: count, blank: lines - count - inside, inside },
      ...this.#findKeys(records),
      remarks,
      hasInvalidBytes,
    };
  }

  /** Reports whether rows that are in the form of raw/ may be copied. */
  #isVerbatim(
    content: ChunkContent,
    { rest, header }: ChunkState,
  ): content is ChunkContent & { kind: "text" } {
    return this.#copiesInOrder && rest === "" && header.join(",") === SALE_HEADER &&
      content.kind === "text" && content.format.type === "csv" && content.format.encoding === "utf-8" &&
      content.format.dialect.delimiter === ",";
  }

  #takeVerbatim(
    bytes: Uint8Array<ArrayBuffer>,
    { rows, blank }: VerbatimLines,
    { header }: ChunkState,
  ): ParsedChunk {
    this.#parsed = { kind: "raw", bytes, rows };
    return {
      state: { rest: "", header },
      counts: { records: rows, blank, inside: 0 },
      keys: [],
      fill: undefined,
      remarks: [],
      hasInvalidBytes: false,
    };
  }

  #findKeys(records: readonly PlacedRecord[]): Pick<ParsedChunk, "keys" | "fill"> {
    const { fillDown } = this.#data.rules.source;
    if (!this.#dependsOnLinesAbove) return { keys: [], fill: undefined };
    const valid = records.filter(hasValues);
    const keys = Array.from(
      { length: this.#lineWithins },
      (_, index) => this.#hashKeys(valid.map(({ values, mapper }) => values[mapper.within[index]!]!)),
    );
    if (!fillDown) return { keys, fill: undefined };
    const distinct = new DistinctRows();
    const indexes = new Uint32Array(valid.length);
    for (const [index, { values, mapper }] of valid.entries()) {
      indexes[index] = distinct.indexOf(mapper.fillDown!.columns.map((column) => values[column]!));
    }
    const within = this.#hashKeys(valid.map(({ values, mapper }) => values[mapper.fillDown!.within]!));
    return { keys, fill: { keys: within, rows: distinct.rows, indexes } };
  }

  /** Hashes keys; neighbours are often the same. */
  #hashKeys(keys: readonly string[]): KeyHashes {
    const [low, high] = [new Uint32Array(keys.length), new Uint32Array(keys.length)];
    const [lowSeed, highSeed] = this.#data.seeds;
    for (let index = 0; index < keys.length; index++) {
      const isSame = index > 0 && keys[index] === keys[index - 1];
      const key = isSame ? "" : keys[index]!.trim();
      low[index] = isSame ? low[index - 1]! : h32(key, lowSeed);
      high[index] = isSame ? high[index - 1]! : h32(key, highSeed);
    }
    return { low, high };
  }

  #map({ numbers, fill }: ChunkTask & { step: "map" }): MappedChunk {
    const parsed = this.#parsed!;
    this.#parsed = this.#content = undefined;
    if (parsed.kind === "raw") return { bytes: parsed.bytes, rows: parsed.rows, ...this.#takeFound() };
    const raw = new RawLines();
    let valid = 0;
    for (const record of parsed.records) {
      if (!hasValues(record)) {
        mapRecord(record, NO_NUMBERS, raw);
        continue;
      }
      if (fill) fillValues(record.values, record.mapper, fill.rows[fill.indexes[valid]!]!);
      mapRecord(record, numbers.map((each) => each[valid]!), raw);
      valid++;
    }
    const { bytes, rows } = takeRaw(raw, parsed.lines);
    return { bytes, rows, ...this.#takeFound() };
  }

  #discardFound(): void {
    this.#mappers.discardFound();
    this.#surrogates.take();
  }

  #takeFound(): Pick<MappedChunk, "excluded" | "products" | "surrogates"> {
    return { ...this.#mappers.takeFound(), surrogates: this.#surrogates.take() };
  }
}

function decode({ format, bytes }: ChunkContent & { kind: "text" }): string {
  const encoding = format.type === "csv" ? format.encoding : "utf-8";
  return new TextDecoder(encoding, { ignoreBOM: true }).decode(bytes);
}

function makeReader(format: TextFormat, header: readonly string[]): CsvReader | JsonLinesReader {
  if (format.type === "jsonl") return new JsonLinesReader(header, { decimal: format.decimal });
  const reader = new CsvReader(format.dialect);
  reader.columns = header.length;
  return reader;
}

/** Places the records of a chunk: each gets the mapper of the header above it. */
class RecordSink {
  /** Number of records. */
  count = 0;
  /** Lines of records after their first one. */
  inside = 0;
  header: readonly string[];
  readonly #mappers: MapperSet;
  readonly #onRecord: (record: PlacedRecord) => void;
  #mapper: Mapper;

  constructor(mappers: MapperSet, header: readonly string[], onRecord: (record: PlacedRecord) => void) {
    this.#mappers = mappers;
    this.header = header;
    this.#onRecord = onRecord;
    this.#mapper = mappers.get(header);
  }

  add(values: readonly string[] | undefined, text: string | undefined, line: number, lines: number): void {
    this.count++;
    this.inside += lines - 1;
    const isHeader = values !== undefined && this.#mapper.isHeader(values);
    this.#onRecord({ values, text, line, mapper: this.#mapper, isHeader });
    if (!isHeader) return;
    this.header = [...values];
    this.#mapper = this.#mappers.get(this.header);
  }
}

/** Reports whether each column is the export's of the same name. */
function isIdentity(columns: SourceFile["columns"]): boolean {
  return SALE_COLUMNS.every((name) => {
    const rule = columns[name];
    return rule.kind === "column" && normalizeName(rule.column) === name;
  });
}

/** Appends the raw line of a record, if it has one. */
function mapRecord(
  { values, text, line, mapper, isHeader }: PlacedRecord,
  numbers: readonly number[],
  raw: RawLines,
): void {
  if (!values) raw.addMalformed(text!, line);
  else if (isHeader) mapper.excludeHeader(line);
  else {
    const fields = mapper.map(values, line, numbers);
    if (fields) raw.add(fields, line);
  }
}

/** Returns the raw lines of a chunk of so many lines. */
function takeRaw(raw: RawLines, lines: number): Parsed & { kind: "raw" } {
  raw.advance(lines + 1);
  return { kind: "raw", bytes: raw.toBytes(), rows: raw.rows };
}

function hasValues(record: PlacedRecord): record is PlacedRecord & { values: string[] } {
  return record.values !== undefined;
}

function fillValues(values: string[], { fillDown }: Mapper, row: readonly string[]): void {
  fillDown!.columns.forEach((column, index) => values[column] = row[index]!);
}

/** Counts the lines of a text; the last one of a file may lack its end. */
function countLines(text: string, isLast: boolean): number {
  let lines = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lines++;
  return isLast && text !== "" && !text.endsWith("\n") ? lines + 1 : lines;
}

/** Checks that every line was read. */
function checkLines(read: number, counted: number): void {
  if (read !== counted) throw new Error(`${read} lines were read, but there are ${counted}`);
}
