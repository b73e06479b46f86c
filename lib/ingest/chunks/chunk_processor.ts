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
  ChunkState,
  ChunkTask,
  ChunkWorkerData,
  MappedChunk,
  ParsedChunk,
  TextFormat,
} from "./chunk.ts";
import { DistinctRows, type KeyHashes } from "./fill_down.ts";
import { MapperSet } from "./mapper_set.ts";
import { readPlainChunk, surveyText } from "./plain_chunk.ts";
import { ProductNumberer } from "./product_numbers.ts";
import { RawLines } from "./raw_lines.ts";
import { mapRecord, type PlacedRecord, RecordSink } from "./record_sink.ts";
import { SurrogateCollector } from "./surrogates.ts";
import { countVerbatimLines, type VerbatimLines } from "./verbatim.ts";

const NO_NUMBERS: readonly number[] = [];

/** Replaces invalid bytes in decoded text. */
const REPLACEMENT = "\ufffd";

const { h32 } = await xxhash();

/** What the first step leaves to the last one. */
interface Parsed {
  records: PlacedRecord[];
  lines: number;
}

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
  readonly #products = new ProductNumberer();

  /** Prepares the rules. */
  constructor(data: ChunkWorkerData) {
    this.#data = data;
    const { source } = data.rules;
    this.#lineWithins = findLineWithins(source).length;
    this.#dependsOnLinesAbove = this.#lineWithins > 0 || source.fillDown !== undefined;
    this.#copiesInOrder = data.rules.copies && isIdentity(source.columns);
    this.#surrogates = new SurrogateCollector(data.seeds[2]);
    this.#mappers = new MapperSet(data.rules, this.#surrogates);
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
      ({ rest, lines, hasInvalidBytes } = this.#parseText(content, state, sink, raw, remarks));
    }
    if (this.#dependsOnLinesAbove) this.#parsed = { records, lines };
    const { count, inside } = sink;
    return {
      state: { rest, header: sink.header },
      counts: { records: count, blank: lines - count - inside, inside },
      ...this.#findKeys(records),
      remarks,
      hasInvalidBytes,
      mapped: this.#dependsOnLinesAbove ? undefined : { ...takeRaw(raw, lines), ...this.#takeFound() },
    };
  }

  #parseText(
    content: ChunkContent & { kind: "text" },
    state: ChunkState,
    sink: RecordSink,
    raw: RawLines,
    remarks: QuoteRemark[],
  ): { rest: string; lines: number; hasInvalidBytes: boolean } {
    const { format, bytes, isLast } = content;
    const reader = makeReader(format, state.header);
    if (format.type === "csv" && state.rest === "" && this.#mappers.getPlain(state.header, format)) {
      const { lines: counted, isSound } = surveyText(bytes, format.encoding, isLast);
      if (isSound) {
        const mapperOf = (header: readonly string[]) => this.#mappers.getPlain(header, format);
        const read = readPlainChunk({ bytes, isLast, encoding: format.encoding }, reader as CsvReader, {
          sink,
          raw,
          mapperOf,
        });
        remarks.push(...(reader as CsvReader).remarks);
        checkLines(read.lines, counted - countLines(read.rest, false));
        return { ...read, hasInvalidBytes: false };
      }
    }
    const decoded = decode(content);
    const text = state.rest + decoded;
    const { rest, line } = reader.read(text, 1, isLast, (values, recordText, line, recordLines) => {
      sink.add(values, values ? undefined : recordText, line, recordLines);
    });
    if (reader instanceof CsvReader) remarks.push(...reader.remarks);
    checkLines(line - 1, countLines(text, isLast) - countLines(rest, false));
    return { rest, lines: line - 1, hasInvalidBytes: decoded.includes(REPLACEMENT) };
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
    return {
      state: { rest: "", header },
      counts: { records: rows, blank, inside: 0 },
      keys: [],
      fill: undefined,
      remarks: [],
      hasInvalidBytes: false,
      mapped: { bytes, rows, ...this.#takeFound() },
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
    return { ...takeRaw(raw, parsed.lines), ...this.#takeFound() };
  }

  #discardFound(): void {
    this.#mappers.discardFound();
    this.#surrogates.take();
    this.#products.forget();
  }

  #takeFound(): Omit<MappedChunk, "bytes" | "rows"> {
    const { products, ...found } = this.#mappers.takeFound();
    return { ...found, products: this.#products.number(products), surrogates: this.#surrogates.take() };
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

/** Reports whether each column is the export's of the same name. */
function isIdentity(columns: SourceFile["columns"]): boolean {
  return SALE_COLUMNS.every((name) => {
    const rule = columns[name];
    return rule.kind === "column" && normalizeName(rule.column) === name;
  });
}

/** Returns the raw lines of a chunk of so many lines. */
function takeRaw(raw: RawLines, lines: number): Pick<MappedChunk, "bytes" | "rows"> {
  raw.advance(lines + 1);
  return { bytes: raw.toBytes(), rows: raw.rows };
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
