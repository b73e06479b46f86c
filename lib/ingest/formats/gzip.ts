/** Decompresses gzip: one or several members, with zero bytes between and behind them. */
import { createGunzip } from "node:zlib";
import { ByteStream } from "./byte_stream.ts";
import { CompressionLimit } from "./compression_limit.ts";
import { damagedArchive } from "./file_error.ts";

/** Gives a decompressor its input, and takes back what it did not use. */
class Feed {
  readonly #source: ByteStream;
  readonly #limit: CompressionLimit | undefined;
  /** Chunks that may not be used up, and the position of the first in its member. */
  #given: Uint8Array[] = [];
  #position = 0;

  constructor(source: ByteStream, limit: CompressionLimit | undefined) {
    this.#source = source;
    this.#limit = limit;
  }

  /** Takes a chunk for a member of which so many bytes are used up. */
  async take(usedBytes: number): Promise<Uint8Array | undefined> {
    this.#forget(usedBytes);
    const chunk = await this.#source.take();
    if (chunk) {
      this.#given.push(chunk);
      this.#limit?.addCompressed(chunk.length);
    }
    return chunk;
  }

  /** Ends a member that had so many bytes. */
  endMember(usedBytes: number): void {
    this.#forget(usedBytes);
    const unused = this.#given.map((chunk, index) =>
      index === 0 ? chunk.subarray(usedBytes - this.#position) : chunk
    );
    for (const chunk of unused.reverse()) {
      this.#source.giveBack(chunk);
      this.#limit?.addCompressed(-chunk.length);
    }
    this.#given = [];
    this.#position = 0;
  }

  #forget(usedBytes: number): void {
    while (this.#given.length > 0 && this.#position + this.#given[0]!.length <= usedBytes) {
      this.#position += this.#given.shift()!.length;
    }
  }

  /** Skips zero bytes; reports whether anything follows. */
  async skipZeros(): Promise<boolean> {
    for (let chunk = await this.#source.take(); chunk; chunk = await this.#source.take()) {
      const start = chunk.findIndex((byte) => byte !== 0);
      if (start < 0) continue;
      this.#source.giveBack(chunk.subarray(start));
      return true;
    }
    return false;
  }
}

/** Decompresses a member, or several with nothing between them. */
async function* readMember(feed: Feed): AsyncGenerator<Uint8Array> {
  const inflater = createGunzip();
  let isDone = false;
  const done = new Promise<void>((resolve) => {
    const finish = () => {
      isDone = true;
      resolve();
    };
    inflater.once("end", finish).once("error", finish).once("close", finish);
  });
  const feeding = (async () => {
    while (!isDone) {
      const chunk = await feed.take(inflater.bytesWritten);
      if (isDone) return;
      if (!chunk) {
        inflater.end();
        return;
      }
      // What a decompressor does with input behind the end is not specified: it may never call back.
      await Promise.race([done, new Promise<void>((resolve) => inflater.write(chunk, () => resolve()))]);
    }
  })();
  // Its error is thrown below; without a handler an early one would end the process.
  feeding.catch((error) => inflater.destroy(error as Error));
  try {
    yield* inflater;
  } finally {
    isDone = true;
    inflater.destroy();
  }
  await feeding;
  feed.endMember(inflater.bytesWritten);
}

function isZlibError(error: unknown): boolean {
  return error instanceof Error && String((error as { code?: unknown }).code).startsWith("Z_");
}

/**
 * Decompresses a gzip file, which begins with the magic number.
 *
 * @param name name of the file, for errors
 * @param archive limit of the archive that holds the file; without one, the file has its own
 * @throws {SalesflowError} when the file is damaged, has something other than zero bytes behind its end, or is a bomb
 */
export async function* gunzip(
  compressed: AsyncIterable<Uint8Array>,
  name: string,
  archive?: CompressionLimit,
): AsyncGenerator<Uint8Array> {
  const limit = archive ?? new CompressionLimit(name);
  const source = new ByteStream(compressed);
  const feed = new Feed(source, archive ? undefined : limit);
  try {
    do {
      for await (const chunk of readMember(feed)) {
        limit.addDecompressed(chunk.length);
        yield chunk;
      }
    } while (await feed.skipZeros());
  } catch (error) {
    throw isZlibError(error) ? damagedArchive(name, error) : error;
  } finally {
    await source.close();
  }
}
