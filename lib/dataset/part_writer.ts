/** Writes parts of datasets. */
import { createHash } from "node:crypto";
import type { Part } from "./dataset.ts";
import type { Store, StoreWriter } from "../store/store.ts";

/** Writes a part to the store, and computes its size and checksum on the way. */
export class PartWriter {
  readonly #writer: StoreWriter;
  readonly #hash = createHash("sha256");
  readonly #name: string;
  #bytes = 0;

  private constructor(writer: StoreWriter, name: string) {
    this.#writer = writer;
    this.#name = name;
  }

  /** Creates the part and writes its header line. */
  static async create(store: Store, folder: string, name: string, header: string): Promise<PartWriter> {
    const part = new PartWriter(await store.create(`${folder}/${name}`), name);
    try {
      await part.write(new TextEncoder().encode(header + "\n"));
      return part;
    } catch (error) {
      await part.abort();
      throw error;
    }
  }

  /** Appends complete lines. The buffer may be reused when the promise has resolved. */
  async write(bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return;
    this.#hash.update(bytes);
    this.#bytes += bytes.length;
    await this.#writer.write(bytes);
  }

  /**
   * Makes the part durable.
   *
   * @param rows number of data rows written
   */
  async close(rows: number): Promise<Part> {
    await this.#writer.close();
    return { name: this.#name, rows, bytes: this.#bytes, sha256: this.#hash.digest("hex") };
  }

  /** Cancels writing and removes the part. */
  abort(): Promise<void> {
    return this.#writer.abort();
  }
}
