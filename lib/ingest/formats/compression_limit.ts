/** Limit of what a compressed file may decompress to, against bombs. No I/O. */
import { fileError } from "./file_error.ts";

/**
 * Maximum compression ratio. Exports compress 3 to 30 times; a bomb 200 to 1,030 times, and would fill the disk with rows or
 * blank lines that are valid one by one.
 */
export const MAX_COMPRESSION_RATIO = 100;

/** Decompressed bytes that are exempt from the ratio: a small file of one repeated row is harmless. */
export const UNCHECKED_OUTPUT_BYTES = 1024 * 1024;

/** Counts the bytes of one compressed file and of all that comes out of it. */
export class CompressionLimit {
  #compressedBytes = 0;
  #decompressedBytes = 0;

  /** Creates a limit; `name` is that of the compressed file, for the error. */
  constructor(readonly name: string) {}

  /** Counts compressed bytes. */
  addCompressed(bytes: number): void {
    this.#compressedBytes += bytes;
  }

  /**
   * Counts decompressed bytes.
   *
   * @throws {SalesflowError} when there are too many for the compressed ones so far
   */
  addDecompressed(bytes: number): void {
    this.#decompressedBytes += bytes;
    if (this.#decompressedBytes <= UNCHECKED_OUTPUT_BYTES + this.#compressedBytes * MAX_COMPRESSION_RATIO) {
      return;
    }
    throw fileError(
      `${this.name} decompresses to more than ${MAX_COMPRESSION_RATIO} times its size`,
      "It may be a decompression bomb. If you trust it, decompress it yourself and ingest the result.",
    );
  }
}
