/** Maps a file chunk by chunk in several threads, and delivers the results in the order of its lines. */
import type { LentWorker } from "../../workers/lending_pool.ts";
import type { QuoteRemark } from "../formats/csv_records.ts";
import type {
  ChunkContent,
  ChunkResult,
  ChunkState,
  ChunkTask,
  LineCounts,
  MappedChunk,
  ParsedChunk,
} from "./chunk.ts";
import { FillDown, LineNumbers } from "./fill_down.ts";

type Thread = LentWorker<ChunkTask, ChunkResult>;

/** Where chunks go. */
export interface ChunkSink {
  /** Number of threads. */
  threads: number;
  /** Lends a thread. */
  lend(): Promise<Thread>;
  /** Receives the chunks in order. */
  write(chunk: MappedChunk): Promise<void>;
  /** Told of an error, so that nobody waits for a thread that does not come back. */
  fail(error: unknown): void;
}

/** What was found in a file. Lines are counted from 1 in the file. */
export interface FileSummary {
  /** Lines below the header by what they are. */
  counts: LineCounts;
  /** Quotes that the user should check. */
  remarks: QuoteRemark[];
  /** Whether bytes are invalid in the encoding. */
  hasInvalidBytes: boolean;
}

/** A parsed chunk, and the lines of the file above it. */
interface PlacedChunk {
  parsed: ParsedChunk;
  linesBefore: number;
}

/** Chunks that may wait to be written, besides those with which a thread works. */
const MAX_WAITING_CHUNKS = 4;

function sameState(a: ChunkState, b: ChunkState): boolean {
  return a.rest === b.rest &&
    (a.header === b.header || a.header.join("\0") === b.header.join("\0"));
}

/** Maps the chunks of one file. */
export class FileMapper {
  /** What was found so far, in order. */
  readonly summary: FileSummary = {
    counts: { records: 0, blank: 0, inside: 0 },
    remarks: [],
    hasInvalidBytes: false,
  };
  readonly #sink: ChunkSink;
  readonly #fill = new FillDown();
  readonly #numbers: LineNumbers[] = [];
  #linesBefore: number;
  /** Header that the next chunk most likely begins with. */
  #likelyHeader: readonly string[];
  #state: Promise<ChunkState>;
  /** Writes of the chunks, the oldest first; each waits for the one before it. */
  readonly #writes: Promise<void>[] = [];

  /**
   * Begins a file.
   *
   * @param header names of its columns
   * @param linesBefore lines of the file up to the end of its header
   */
  constructor(sink: ChunkSink, header: readonly string[], linesBefore: number) {
    this.#sink = sink;
    this.#likelyHeader = header;
    this.#linesBefore = linesBefore;
    this.#state = Promise.resolve({ rest: "", header });
  }

  /**
   * Begins to map the next chunk, once a thread is free.
   *
   * @throws {SalesflowError} when a chunk before it failed
   */
  async add(content: ChunkContent): Promise<void> {
    if (this.#writes.length >= this.#sink.threads + MAX_WAITING_CHUNKS) await this.#writes.shift();
    const thread = await this.#sink.lend();
    const parsing = this.#parse(thread, content, this.#state);
    this.#state = parsing.then(({ parsed }) => parsed.state);
    const write = this.#write(this.#map(thread, parsing), this.#writes.at(-1));
    // Thrown by a later add() or by close(); until then the error must not count as unhandled.
    this.#state.catch(() => {});
    write.catch((error) => this.#sink.fail(error));
    this.#writes.push(write);
  }

  /** Waits for all chunks. @throws {SalesflowError} the first error */
  async close(): Promise<void> {
    for (const write of this.#writes) await write;
  }

  /** Parses a chunk before the chunks above it are known; parses it again when it does not begin as supposed. */
  async #parse(thread: Thread, content: ChunkContent, before: Promise<ChunkState>): Promise<PlacedChunk> {
    const supposed = { rest: "", header: this.#likelyHeader };
    const transfer = content.kind === "text" ? [content.bytes.buffer] : [];
    let parsed = await thread.run({ step: "parse", content, state: supposed }, { transfer }) as ParsedChunk;
    const state = await before;
    if (!sameState(state, supposed)) parsed = await thread.run({ step: "parse again", state }) as ParsedChunk;
    this.#likelyHeader = parsed.state.header;
    const linesBefore = this.#linesBefore;
    const { records, blank, inside } = parsed.counts;
    this.#linesBefore += records + blank + inside;
    return { parsed, linesBefore };
  }

  /** Maps a chunk when all chunks above it have been parsed. */
  async #map(thread: Thread, parsing: Promise<PlacedChunk>): Promise<MappedChunk> {
    const { parsed, linesBefore } = await parsing;
    this.#summarise(parsed, linesBefore);
    const numbers = parsed.keys.map((keys, index) => (this.#numbers[index] ??= new LineNumbers()).next(keys));
    const fill = parsed.fill && this.#fill.fill(parsed.fill);
    const mapped = parsed.mapped ?? await thread.run({ step: "map", numbers, fill }) as MappedChunk;
    thread.release();
    for (const found of [mapped.excluded, mapped.currencies]) {
      for (const lines of found.values()) lines.firstLine += linesBefore;
    }
    return mapped;
  }

  async #write(mapping: Promise<MappedChunk>, before: Promise<void> | undefined): Promise<void> {
    const [mapped] = await Promise.all([mapping, before]);
    await this.#sink.write(mapped);
  }

  #summarise({ counts, remarks, hasInvalidBytes }: ParsedChunk, linesBefore: number): void {
    const { summary } = this;
    summary.counts.records += counts.records;
    summary.counts.blank += counts.blank;
    summary.counts.inside += counts.inside;
    summary.hasInvalidBytes ||= hasInvalidBytes;
    for (const { kind, line, lastLine } of remarks) {
      summary.remarks.push({ kind, line: line + linesBefore, lastLine: lastLine + linesBefore });
    }
  }
}
