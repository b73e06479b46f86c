/** One run of the stage ingest: writes the parts of raw/ export by export, and sums up what was found. */
import { createHash } from "node:crypto";
import { escapePlaceholders, logger } from "../console/log.ts";
import { fromCents } from "../domain/money.ts";
import { SALE_HEADER } from "../domain/sale.ts";
import { datasetFolder, type Part, partName } from "../dataset/dataset.ts";
import { productsPath } from "../dataset/products.ts";
import { PartWriter } from "../dataset/part_writer.ts";
import type { StageContext } from "../pipeline/stage.ts";
import type { LendingPool } from "../workers/lending_pool.ts";
import type { ChunkResult, ChunkTask, ChunkWorkerData, LineCounts, MappedChunk } from "./chunks/chunk.ts";
import { FileMapper } from "./chunks/map_file.ts";
import type { MappingRules } from "./chunks/mapper_set.ts";
import { ProductNumbers } from "./chunks/product_numbers.ts";
import { type ExportEntry, openEntries, type ReadFile } from "./entries.ts";
import type { IdDirectoryWriter } from "./id_directory.ts";
import type { Input } from "./inputs.ts";
import { ProductList } from "./products.ts";
import { addCurrency, type Currencies, describeCurrencies } from "./source/currencies.ts";
import { addExcluded, type Excluded } from "./source/record_mapper.ts";
import { UnknownPlaces } from "./unknown_places.ts";
import { logExclusions, logUnknownPlaces, logWarnings } from "./warnings.ts";

/** Lines of all exports by what they are. */
export interface ReadLines extends LineCounts {
  /** Headers, and lines above them. */
  header: number;
}

/** Writes raw/. */
export class IngestJob {
  /** Rows written. */
  rows = 0;
  /** Lines read. */
  readonly lines: ReadLines = { header: 0, records: 0, blank: 0, inside: 0 };
  readonly #context: StageContext;
  readonly #rules: MappingRules;
  readonly #pool: LendingPool<ChunkWorkerData, ChunkTask, ChunkResult>;
  readonly #ids: IdDirectoryWriter;
  readonly #parts: Part[] = [];
  readonly #names: string[] = [];
  readonly #lineOffsets: number[] = [];
  readonly #files: ReadFile[] = [];
  readonly #excluded = new Map<string, Excluded>();
  readonly #warnings: string[] = [];
  readonly #places = new UnknownPlaces();
  readonly #looksUpRegion: boolean;
  readonly #products = new ProductList();
  readonly #productNumbers = new ProductNumbers();

  /** Begins with empty raw/ and ids/. */
  constructor(
    context: StageContext,
    rules: MappingRules,
    pool: LendingPool<ChunkWorkerData, ChunkTask, ChunkResult>,
    ids: IdDirectoryWriter,
  ) {
    this.#context = context;
    this.#rules = rules;
    this.#pool = pool;
    this.#ids = ids;
    this.#looksUpRegion = rules.source.columns.region.kind === "lookup";
  }

  /**
   * Writes the parts of a file.
   *
   * @throws {SalesflowError} when it cannot be read to its end, or lacks a column
   */
  async add(input: Input): Promise<void> {
    const entries = openEntries(input, this.#rules, { signal: this.#context.signal });
    try {
      for (;;) {
        const next = await entries.next();
        if (next.done) {
          this.#files.push(next.value!);
          return;
        }
        await this.#addExport(next.value);
      }
    } finally {
      await entries.return(undefined);
    }
  }

  async #addExport({ path, name, export: { header, chunks, encoding } }: ExportEntry): Promise<void> {
    const { store, runId, signal } = this.#context;
    const index = this.#parts.length;
    const folder = datasetFolder(runId, "raw");
    const writer = await PartWriter.create(store, folder, partName(index), SALE_HEADER);
    let rows = 0;
    const currencies: Currencies = new Map();
    let line = header.lastLine + 1;
    const mapper = new FileMapper(
      {
        threads: this.#pool.threads,
        lend: () => this.#pool.lend(),
        fail: (error) => this.#pool.fail(error),
        write: async (chunk) => {
          signal.throwIfAborted();
          await writer.write(chunk.bytes);
          rows += chunk.rows;
          for (const [code, sales] of chunk.currencies) addCurrency(currencies, code, sales);
          // The bytes of raw lines end with those of the region.
          if (this.#looksUpRegion) line += this.#places.addLines(chunk.bytes, path, line);
          await this.#take(chunk);
        },
      },
      header.names,
      header.lastLine,
    );
    try {
      // Blank lines keep the line numbers of the export; the header of the part stands for one line.
      await writer.write(new Uint8Array(Math.max(0, header.lastLine - 1)).fill(10));
      for await (const chunk of chunks) await mapper.add(chunk);
      await mapper.close();
      this.#parts.push(await writer.close(rows));
    } catch (error) {
      await writer.abort();
      throw error;
    }
    this.#names.push(name);
    this.#lineOffsets.push(header.lastLine === 0 ? 1 : 0);
    this.lines.header += header.lastLine;
    const { counts } = mapper.summary;
    for (const kind of ["records", "blank", "inside"] as const) this.lines[kind] += counts[kind];
    logWarnings(path, mapper.summary, encoding, this.#rules);
    const warning = describeCurrencies(name, currencies);
    if (warning) {
      this.#warnings.push(warning);
      logger("ingest").warn(escapePlaceholders(warning));
    }
  }

  async #take({ rows, excluded, products, surrogates }: MappedChunk): Promise<void> {
    this.rows += rows;
    for (const [rule, lines] of excluded) addExcluded(this.#excluded, rule, lines);
    this.#products.add(this.#productNumbers.read(products));
    await this.#ids.add(surrogates);
    this.#context.progress(this.rows);
  }

  /**
   * Writes the products and the directory of ids.
   *
   * @throws {SalesflowError} when two ids would share a number
   */
  async finish(): Promise<{ parts: Part[]; facts: Record<string, unknown> }> {
    const { store, runId } = this.#context;
    const { source, copies } = this.#rules;
    const ids = await this.#ids.close();
    logExclusions(this.#excluded);
    logUnknownPlaces(this.#places.describe(), source.path);
    const facts: Record<string, unknown> = { source: "ingested", files: this.#names, exports: this.#files };
    if (this.#lineOffsets.includes(1)) facts.line_offsets = this.#lineOffsets;
    const { header, records, blank, inside } = this.lines;
    facts.lines = { read: header + records + blank + inside, header, records, blank, inside };
    facts.excluded = mapValues(this.#excluded, ({ lines }) => lines);
    if (this.#warnings.length > 0) facts.warnings = this.#warnings;
    facts.excluded_amounts = mapValues(this.#excluded, ({ cents }) => fromCents(cents));
    if (copies) return { parts: this.#parts, facts };
    const products = this.#products.toCsv();
    await store.writeText(productsPath(runId), products);
    facts.products_sha256 = createHash("sha256").update(products).digest("hex");
    facts.ids = ids?.rows ?? 0;
    facts.on_conflict = source.onConflict;
    if (source.currency) facts.currency = source.currency.code;
    return { parts: this.#parts, facts };
  }

  /** Removes what is not complete. */
  async abort(): Promise<void> {
    await this.#ids.abort();
  }
}

function mapValues<T, U>(map: ReadonlyMap<string, T>, convert: (value: T) => U): Record<string, U> {
  return Object.fromEntries([...map].map(([key, value]) => [key, convert(value)]));
}
