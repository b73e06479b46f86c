/** Streams of bytes that can be looked into before they are read. */

/** Bytes of one read of a file: large enough that calls cost little, small enough to keep many. */
const CHUNK_BYTES = 256 * 1024;

/** Reads a file from its current position to its end. */
export async function* readFile(file: Deno.FsFile): AsyncGenerator<Uint8Array> {
  while (true) {
    const buffer = new Uint8Array(CHUNK_BYTES);
    const count = await file.read(buffer);
    if (count === null) return;
    yield buffer.subarray(0, count);
  }
}

/** Bytes that can be taken and given back; reads its source once. */
export class ByteStream {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #returned: Uint8Array[] = [];

  /** Creates a stream. */
  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Takes the next bytes, at least one; undefined at the end. */
  async take(): Promise<Uint8Array | undefined> {
    const returned = this.#returned.pop();
    if (returned) return returned;
    while (true) {
      const next = await this.#source.next();
      if (next.done) return undefined;
      if (next.value.length > 0) return next.value;
    }
  }

  /** Gives bytes back, to be taken next. */
  giveBack(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#returned.push(bytes);
  }

  /** Returns the first bytes without taking them: fewer than `length` only when there are no more. */
  async peek(length: number): Promise<Uint8Array> {
    const head = new Uint8Array(length);
    const taken: Uint8Array[] = [];
    let filled = 0;
    for (let chunk = await this.take(); chunk; chunk = filled < length ? await this.take() : undefined) {
      taken.push(chunk);
      head.set(chunk.subarray(0, length - filled), filled);
      filled = Math.min(length, filled + chunk.length);
    }
    for (const chunk of taken.reverse()) this.giveBack(chunk);
    return head.subarray(0, filled);
  }

  /** Takes all bytes that are left. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      for (let chunk = await this.take(); chunk; chunk = await this.take()) yield chunk;
    } finally {
      await this.close();
    }
  }

  /** Ends the source, whose resources are freed. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }
}
