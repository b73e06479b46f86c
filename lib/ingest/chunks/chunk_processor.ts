/** Parses a chunk of an export, and maps its records to raw lines. Runs in a worker thread. No I/O. */
import xxhash from "xxhash-wasm";
import { SALE_COLUMNS, SALE_HEADER } from "../../domain/sale.ts";
import { CsvReader, type QuoteRemark } from "../formats/csv_records.ts";
import { JsonLinesReader } from "../formats/json_lines.ts";
import { findLineWithins } from "../source/compile_rule.ts";
import type { Mapper } from "../source/record_mapper.ts";
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
import { countVerbatimLines, type VerbatimLines } from "./verbatim.ts";

/** Replaces invalid bytes in decoded text. */
const REPLACEMENT = "\ufffd";

const { h32 } = await xxhash();

/** A record with the mapper of its header. */
interface MappedRecord extends ChunkRecord {
  mapper: Mapper;
  /** Whether it is the header again. */
  isHeader: boolean;
}

/** What the first step leaves to the last one. */
type Parsed =
  | { kind: "verbatim"; bytes: Uint8Array<ArrayBuffer>; rows: number }
  | { kind: "records"; records: MappedRecord[]; lines: number };

/** Processes chunks one after another. */
export class ChunkProcessor {
  readonly #data: ChunkWorkerData;
  readonly #mappers: MapperSet;
  readonly #lineWithins: number;
  #content: ChunkContent | undefined;
  #parsed: Parsed | undefined;
  #texts: string[] = [];
  #keys: bigint[] = [];

  /** Prepares the rules. */
  constructor(data: ChunkWorkerData) {
    this.#data = data;
    this.#lineWithins = findLineWithins(data.rules.source).length;
    this.#mappers = new MapperSet(data.rules, (key, text) => {
      this.#keys.push(key);
      this.#texts.push(text);
    });
  }

  /** Runs one step. */
  run(task: ChunkTask): ParsedChunk | MappedChunk {
    if (task.step === "parse") this.#content = task.content;
    return task.step === "map" ? this.#map(task) : this.#parse(this.#content!, task.state);
  }

  #parse(content: ChunkContent, state: ChunkState): ParsedChunk {
    if (this.#isVerbatim(content, state)) {
      const lines = countVerbatimLines(content.bytes, SALE_COLUMNS.length);
      if (lines) return this.#takeVerbatim(content.bytes, lines, state);
    }
    const remarks: QuoteRemark[] = [];
    const sink = new RecordSink(this.#mappers, state.header);
    let rest = "";
    let lines: number;
    let hasInvalidBytes = false;
    if (content.kind === "records") {
      lines = content.lines;
      for (const record of content.records) sink.add(record, 1);
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
          sink.add({ values, line, text: values ? undefined : recordText }, recordLines);
        },
      ));
      lines--;
      if (reader instanceof CsvReader) remarks.push(...reader.remarks);
      checkLines(lines, countLines(text, content.isLast) - countLines(rest, false));
    }
    this.#parsed = { kind: "records", records: sink.records, lines };
    const { records, inside } = sink;
    return {
      state: { rest, header: sink.header },
      counts: { records: records.length, blank: lines - records.length - inside, inside },
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
    return this.#data.rules.copies && rest === "" && header.join(",") === SALE_HEADER &&
      content.kind === "text" && content.format.type === "csv" && content.format.encoding === "utf-8" &&
      content.format.dialect.delimiter === ",";
  }

  #takeVerbatim(
    bytes: Uint8Array<ArrayBuffer>,
    { rows, blank }: VerbatimLines,
    { header }: ChunkState,
  ): ParsedChunk {
    this.#parsed = { kind: "verbatim", bytes, rows };
    return {
      state: { rest: "", header },
      counts: { records: rows, blank, inside: 0 },
      keys: [],
      fill: undefined,
      remarks: [],
      hasInvalidBytes: false,
    };
  }

  #findKeys(records: readonly MappedRecord[]): Pick<ParsedChunk, "keys" | "fill"> {
    const { fillDown } = this.#data.rules.source;
    if (this.#lineWithins === 0 && !fillDown) return { keys: [], fill: undefined };
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
    if (parsed.kind === "verbatim") {
      return { bytes: parsed.bytes, rows: parsed.rows, ...this.#takeFound() };
    }
    const lines = new RawLines();
    let valid = 0;
    for (const record of parsed.records) {
      if (!hasValues(record)) {
        lines.addMalformed(record.text!, record.line);
        continue;
      }
      const { values, line, mapper, isHeader } = record;
      if (fill) fillValues(values, mapper, fill.rows[fill.indexes[valid]!]!);
      const lineNumbers = numbers.map((each) => each[valid]!);
      valid++;
      if (isHeader) {
        mapper.excludeHeader(line);
        continue;
      }
      const fields = mapper.map(values, line, lineNumbers);
      if (fields) lines.add(fields, line);
    }
    lines.advance(parsed.lines + 1);
    return { bytes: lines.toBytes(), rows: lines.rows, ...this.#takeFound() };
  }

  #takeFound(): Pick<MappedChunk, "excluded" | "products" | "surrogates"> {
    const surrogates = { texts: this.#texts, keys: BigUint64Array.from(this.#keys) };
    this.#texts = [];
    this.#keys = [];
    return { ...this.#mappers.takeFound(), surrogates };
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

/** Collects the records of a chunk, each with the mapper of the header above it. */
class RecordSink {
  readonly records: MappedRecord[] = [];
  /** Lines of records after their first one. */
  inside = 0;
  header: readonly string[];
  readonly #mappers: MapperSet;
  #mapper: Mapper;

  constructor(mappers: MapperSet, header: readonly string[]) {
    this.#mappers = mappers;
    this.header = header;
    this.#mapper = mappers.get(header);
  }

  add(record: ChunkRecord, lines: number): void {
    this.inside += lines - 1;
    const { values, text, line } = record;
    const isHeader = values !== undefined && this.#mapper.isHeader(values);
    this.records.push({ values, text, line, mapper: this.#mapper, isHeader });
    if (!isHeader) return;
    this.header = [...values];
    this.#mapper = this.#mappers.get(this.header);
  }
}

function hasValues(record: MappedRecord): record is MappedRecord & { values: string[] } {
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
