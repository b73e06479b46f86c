/** Takes the records of a chunk one after another, and maps them to raw lines. No I/O. */
import type { Mapper } from "../source/record_mapper.ts";
import type { ChunkRecord } from "./chunk.ts";
import type { MapperSet } from "./mapper_set.ts";
import type { RawLines } from "./raw_lines.ts";

/** A record with its mapper. */
export interface PlacedRecord extends ChunkRecord {
  /** Mapper of the header above it. */
  mapper: Mapper;
  /** Whether it is the header again. */
  isHeader: boolean;
}

/** Places the records of a chunk: each gets the mapper of the header above it. */
export class RecordSink {
  /** Number of records. */
  count = 0;
  /** Lines of records after their first one. */
  inside = 0;
  /** Names of the columns from here on. */
  header: readonly string[];
  readonly #mappers: MapperSet;
  readonly #onRecord: (record: PlacedRecord) => void;
  #mapper: Mapper;

  /** Begins a chunk. @param header names of the columns at its beginning */
  constructor(mappers: MapperSet, header: readonly string[], onRecord: (record: PlacedRecord) => void) {
    this.#mappers = mappers;
    this.header = header;
    this.#onRecord = onRecord;
    this.#mapper = mappers.get(header);
  }

  /**
   * Adds a record.
   *
   * @param values its values; undefined when they are not as many as the header's
   * @param text its text, when it has no values
   * @param line its first line in the chunk
   * @param lines number of its lines
   */
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

/** Appends the raw line of a record, if it has one. */
export function mapRecord(
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
