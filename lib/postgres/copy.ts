/** COPY into PostgreSQL: passes bytes through unchanged, and fails when the stream stalls. */
import { pipeline } from "node:stream/promises";
// @ts-types="./pg_copy_streams.d.ts"
import { from } from "pg-copy-streams";
import { PostgresFailure } from "./errors.ts";
import type { Postgres } from "./session.ts";

/** Calls `onStall` once when no progress is reported within the timeout. */
class StallTimer {
  readonly #onStall: (error: PostgresFailure) => void;
  #timeoutMs: number;
  #lastProgress = performance.now();
  #timer: ReturnType<typeof setTimeout>;

  constructor(timeoutMs: number, onStall: (error: PostgresFailure) => void) {
    this.#onStall = onStall;
    this.#timeoutMs = timeoutMs;
    this.#timer = setTimeout(() => this.#check(), timeoutMs);
  }

  #check(): void {
    const leftMs = this.#lastProgress + this.#timeoutMs - performance.now();
    if (leftMs > 0) this.#timer = setTimeout(() => this.#check(), leftMs);
    else this.#onStall(new PostgresFailure(`no progress for ${this.#timeoutMs / 1000} s`));
  }

  progress(): void {
    this.#lastProgress = performance.now();
  }

  /** Starts over with another timeout. */
  restart(timeoutMs: number): void {
    clearTimeout(this.#timer);
    this.#timeoutMs = timeoutMs;
    this.progress();
    this.#check();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

/**
 * Streams bytes to `COPY … FROM STDIN`.
 *
 * @param onBytes called with the number of bytes sent so far
 * @returns the number of rows that PostgreSQL reports
 * @throws errors of `source`, and {@linkcode PostgresFailure}
 */
export async function copyIn(
  db: Postgres,
  sql: string,
  source: AsyncIterable<Uint8Array>,
  onBytes: (bytes: number) => void = () => {},
): Promise<number> {
  db.signal.throwIfAborted();
  const destination = db.client.query(from(sql));
  let firstError: { error: unknown } | undefined;
  // Ending COPY needs a reply from the server, so a stalled connection is destroyed.
  const stallTimer = new StallTimer(db.limits.stallTimeoutMs, (error) => {
    firstError ??= { error };
    db.destroy();
  });
  async function* chunks() {
    let bytes = 0;
    try {
      for await (const chunk of source) {
        stallTimer.progress();
        yield chunk;
        stallTimer.progress();
        bytes += chunk.length;
        onBytes(bytes);
      }
    } catch (error) {
      firstError ??= { error };
      throw error;
    }
    // All bytes are sent; the server's own statement timeout limits the rest.
    stallTimer.restart(db.clientTimeoutMs);
  }
  try {
    await pipeline(chunks, destination, { signal: db.signal });
    return destination.rowCount;
  } catch (error) {
    db.signal.throwIfAborted();
    if (firstError) throw firstError.error;
    throw new PostgresFailure(error);
  } finally {
    stallTimer.stop();
  }
}
