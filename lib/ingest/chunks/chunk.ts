/** What the main thread and the threads that read chunks of an export tell each other. */
import type { CsvDialect, QuoteRemark } from "../formats/csv_records.ts";
import type { Currencies } from "../source/currencies.ts";
import type { Excluded } from "../source/record_mapper.ts";
import type { FillValues, KeyHashes } from "./fill_down.ts";
import type { MappingRules } from "./mapper_set.ts";
import type { NumberedProducts } from "./product_numbers.ts";
import type { Surrogates } from "./surrogates.ts";

/** Data that each thread gets once, at its start. */
export interface ChunkWorkerData {
  /** Rules of the export. */
  rules: MappingRules;
  /** Random seeds of the two halves of the keys' hashes, and of the other hashes of ids; the same in all threads. */
  seeds: readonly [number, number, number];
}

/** How the text of a file is written. */
export type TextFormat = { type: "csv"; encoding: string; dialect: CsvDialect } | {
  type: "jsonl";
  /** Mark before the decimals of numbers, as the rules of the export expect it. */
  decimal: "." | ",";
};

/** A piece of a file: bytes of whole lines, or records that have been read. */
export type ChunkContent =
  | { kind: "text"; format: TextFormat; bytes: Uint8Array<ArrayBuffer>; isLast: boolean }
  | { kind: "records"; records: readonly ChunkRecord[]; lines: number };

/** A record of a chunk. */
export interface ChunkRecord {
  /** Its values; undefined when there are not as many as in the header. */
  values: readonly string[] | undefined;
  /** Its text, when it has no values. */
  text?: string | undefined;
  /** Line in the chunk, counted from 1. */
  line: number;
}

/** What a chunk leaves to the next one. */
export interface ChunkState {
  /** Text of the incomplete record at its end. */
  rest: string;
  /** Names of the columns from there on. */
  header: readonly string[];
}

/** A task of a thread. The steps of a chunk are: `parse`; `parse again` if the state was another one; `map`. */
export type ChunkTask =
  | { step: "parse"; content: ChunkContent; state: ChunkState }
  | { step: "parse again"; state: ChunkState }
  | {
    step: "map";
    /** Numbers of the lines, for each `line_within`. */
    numbers: readonly Uint32Array<ArrayBuffer>[];
    /** Filled values, when there is a `fill_down`. */
    fill: Pick<FillValues, "rows" | "indexes"> | undefined;
  };

/** Lines of a chunk by what they are. */
export interface LineCounts {
  /** Records, repeated headers included. */
  records: number;
  /** Blank lines. */
  blank: number;
  /** Lines of records after their first one. */
  inside: number;
}

/** A chunk after its first step. Lines are counted from 1 in the chunk. */
export interface ParsedChunk {
  /** State after the chunk. */
  state: ChunkState;
  /** Lines; their sum is what the chunk consumed. */
  counts: LineCounts;
  /** Keys of the records with values, for each `line_within`. */
  keys: readonly KeyHashes[];
  /** Values to fill of the records with values, when there is a `fill_down`. */
  fill: FillValues | undefined;
  /** Quotes that the user should check. */
  remarks: readonly QuoteRemark[];
  /** Whether bytes are invalid in the encoding. */
  hasInvalidBytes: boolean;
  /** The chunk after its last step, when that does not depend on the lines above it; the last step is not asked for then. */
  mapped: MappedChunk | undefined;
}

/** A chunk after its last step. */
export interface MappedChunk {
  /** Raw lines: as many as the chunk consumed. */
  bytes: Uint8Array<ArrayBuffer>;
  /** Number of rows. */
  rows: number;
  /** Excluded lines, by the name of the rule. */
  excluded: ReadonlyMap<string, Excluded>;
  /** Products. */
  products: NumberedProducts;
  /** Sales by currency, where a column looks like one and none is declared. */
  currencies: Currencies;
  /** Texts that became surrogate keys. */
  surrogates: Surrogates;
}

/** Result of a task, in the order of {@linkcode ChunkTask}. */
export type ChunkResult = ParsedChunk | MappedChunk;
