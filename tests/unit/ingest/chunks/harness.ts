/** Maps texts chunk by chunk in this thread, in place of worker threads. */
import { type Scheduler } from "fast-check";
import type {
  ChunkContent,
  ChunkResult,
  ChunkTask,
  TextFormat,
} from "../../../../lib/ingest/chunks/chunk.ts";
import { ChunkProcessor } from "../../../../lib/ingest/chunks/chunk_processor.ts";
import { FileMapper, type FileSummary } from "../../../../lib/ingest/chunks/map_file.ts";
import type { MappingRules } from "../../../../lib/ingest/chunks/mapper_set.ts";
import { ProductNumbers } from "../../../../lib/ingest/chunks/product_numbers.ts";
import type { Surrogates } from "../../../../lib/ingest/chunks/surrogates.ts";
import { ProductList } from "../../../../lib/ingest/products.ts";
import { addExcluded, type Excluded } from "../../../../lib/ingest/source/record_mapper.ts";
import { parseSourceFile } from "../../../../lib/ingest/source/source_file.ts";
import type { LentWorker } from "../../../../lib/workers/lending_pool.ts";

/** Comma-separated text in UTF-8. */
export const CSV: TextFormat & { type: "csv" } = {
  type: "csv",
  encoding: "utf-8",
  dialect: { delimiter: ",", quote: "csv" },
};

/** Returns the rules of a source file without lookups in files. */
export function rulesOf(yaml: string): MappingRules {
  return { source: parseSourceFile(yaml, "shop.yaml"), lookups: [], copies: false };
}

/** Cuts a text behind so many of its lines, again and again, into chunks. */
export function toChunks(text: string, lines: readonly number[], format: TextFormat = CSV): ChunkContent[] {
  const encoder = new TextEncoder();
  const all = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const chunks: ChunkContent[] = [];
  for (let at = 0, turn = 0; at < all.length || chunks.length === 0; turn++) {
    const end = lines.length === 0 ? all.length : at + lines[turn % lines.length]!;
    const bytes = encoder.encode(all.slice(at, end).join(""));
    chunks.push({ kind: "text", format, bytes, isLast: end >= all.length });
    at = end;
  }
  return chunks;
}

/** Threads that are lent in turn; a scheduler decides when each task ends. */
export class FakePool {
  readonly #idle: ChunkProcessor[];
  readonly #waiting: ((processor: ChunkProcessor) => void)[] = [];
  readonly #scheduler: Scheduler | undefined;
  /** Reads the products of all threads. */
  readonly numbers = new ProductNumbers();
  /** Steps of all tasks, in the order in which they ran. */
  readonly steps: ChunkTask["step"][] = [];

  constructor(rules: MappingRules, readonly threads: number, scheduler?: Scheduler) {
    this.#idle = Array.from({ length: threads }, () => new ChunkProcessor({ rules, seeds: [1, 2, 3] }));
    this.#scheduler = scheduler;
  }

  async lend(): Promise<LentWorker<ChunkTask, ChunkResult>> {
    const processor = this.#idle.pop() ??
      await new Promise<ChunkProcessor>((resolve) => this.#waiting.push(resolve));
    return {
      run: async (task, { transfer = [] } = {}) => {
        const received = structuredClone(task, { transfer });
        await this.#scheduler?.schedule(Promise.resolve(), task.step);
        this.steps.push(task.step);
        return structuredClone(processor.run(received));
      },
      release: () => {
        const next = this.#waiting.shift();
        if (next) next(processor);
        else this.#idle.push(processor);
      },
    };
  }
}

/** Returns the keys and texts in what a thread sent. */
export function readSurrogates({ lines, ends }: Surrogates): [key: string, text: string][] {
  return [...ends].map((end, index) => {
    const line = new TextDecoder("utf-8", { ignoreBOM: true }).decode(
      lines.subarray(ends[index - 1] ?? 0, end),
    );
    const [, key, text] = /^(\d+),([^]*)\n$/.exec(line)!;
    return [key!, text!.startsWith('"') ? text!.slice(1, -1).replaceAll('""', '"') : text!];
  });
}

/** What a file became. */
export interface MappedFile {
  raw: string;
  rows: number;
  excluded: Map<string, Excluded>;
  products: string;
  /** Pairs of a text and its key, each once, sorted. */
  surrogates: string[];
  summary: FileSummary;
}

/** Maps the chunks of a file. */
export async function mapFile(
  chunks: readonly ChunkContent[],
  header: readonly string[],
  pool: FakePool,
): Promise<MappedFile> {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const excluded = new Map<string, Excluded>();
  const products = new ProductList();
  const surrogates = new Set<string>();
  let [raw, rows] = ["", 0];
  const mapper = new FileMapper(
    {
      threads: pool.threads,
      lend: () => pool.lend(),
      fail() {},
      write(chunk) {
        raw += decoder.decode(chunk.bytes);
        rows += chunk.rows;
        for (const [rule, lines] of chunk.excluded) addExcluded(excluded, rule, lines);
        products.add(pool.numbers.read(chunk.products));
        for (const [key, text] of readSurrogates(chunk.surrogates)) surrogates.add(`${text}=${key}`);
        return Promise.resolve();
      },
    },
    header,
    1,
  );
  for (const chunk of chunks) await mapper.add(structuredClone(chunk));
  await mapper.close();
  const { summary } = mapper;
  return { raw, rows, excluded, products: products.toCsv(), surrogates: [...surrogates].sort(), summary };
}
