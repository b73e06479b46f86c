/** The directory of a run's surrogate keys: `ids/part-00000.csv` leads from each number back to its text. */
import { parse } from "csv-parse";
import { pipeline, Readable } from "node:stream";
import { SalesflowError } from "../console/errors.ts";
import { toPrintable } from "../console/printable.ts";
import { type Part, partName } from "../dataset/dataset.ts";
import { PartWriter } from "../dataset/part_writer.ts";
import type { Store } from "../store/store.ts";
import { SurrogateIndex } from "./chunks/surrogate_index.ts";
import type { Surrogates } from "./chunks/surrogates.ts";

const HEADER = "number,text";

/** Returns the folder of a run's directory. */
export function idFolder(runId: string): string {
  return `runs/${runId}/ids`;
}

/** Writes the directory: each text once. */
export class IdDirectoryWriter {
  readonly #store: Store;
  readonly #runId: string;
  readonly #writer: PartWriter;
  readonly #index = new SurrogateIndex();

  private constructor(store: Store, runId: string, writer: PartWriter) {
    this.#store = store;
    this.#runId = runId;
    this.#writer = writer;
  }

  /** Replaces the directory of a run. */
  static async create(store: Store, runId: string): Promise<IdDirectoryWriter> {
    const folder = idFolder(runId);
    await store.remove(folder);
    return new IdDirectoryWriter(store, runId, await PartWriter.create(store, folder, partName(0), HEADER));
  }

  /** Adds texts; uses up their lines. */
  async add({ lines, ends, high, low, checks }: Surrogates): Promise<void> {
    let written = 0;
    for (let index = 0; index < ends.length; index++) {
      const [keyHigh, keyLow] = [high[index]!, low[index]!];
      // A text that may share its key is written, too, so that close() can compare them.
      if (!this.#index.add(keyHigh, keyLow, checks[index]!) && !this.#index.isSuspect(keyHigh, keyLow)) {
        continue;
      }
      const [begin, end] = [index === 0 ? 0 : ends[index - 1]!, ends[index]!];
      if (written !== begin) lines.copyWithin(written, begin, end);
      written += end - begin;
    }
    await this.#writer.write(lines.subarray(0, written));
  }

  /**
   * Makes the directory durable; removes it when there is nothing in it.
   *
   * @throws {SalesflowError} when two texts share a key
   */
  async close(): Promise<Part | undefined> {
    if (this.#index.size === 0) {
      await this.#writer.abort();
      return undefined;
    }
    const part = await this.#writer.close(this.#index.size);
    await this.#compareSuspects();
    return part;
  }

  /** Cancels writing. */
  abort(): Promise<void> {
    return this.#writer.abort();
  }

  async #compareSuspects(): Promise<void> {
    const { suspects } = this.#index;
    if (suspects.size === 0) return;
    const texts = new Map<string, string>();
    for await (const { number, text } of readIds(this.#store, this.#runId)) {
      if (!suspects.has(BigInt(number))) continue;
      const other = texts.get(number);
      if (other !== undefined && other !== text) {
        throw new SalesflowError(
          `The ids ${toPrintable(other)} and ${toPrintable(text)} would both become the number ${number}`,
          {
            stage: "ingest",
            exitCode: 2,
            remedy: "Change one of them in the export, for example with a join.",
          },
        );
      }
      texts.set(number, text);
    }
  }
}

/** One line of the directory. */
export interface KnownId {
  /** The surrogate key. */
  number: string;
  /** The id as the export writes it. */
  text: string;
}

/** Reads the directory of a run; nothing when it has none. */
export async function* readIds(store: Store, runId: string): AsyncGenerator<KnownId> {
  const path = `${idFolder(runId)}/${partName(0)}`;
  if (await store.size(path) === undefined) return;
  const lines = parse({ columns: true });
  // Errors of the store reach the parser, and the file is closed when the caller stops early; pipe() does neither.
  pipeline(Readable.from(await store.stream(path)), lines, () => {});
  for await (const line of lines) yield line as KnownId;
}
