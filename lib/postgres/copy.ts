/** COPY into PostgreSQL: bytes pass through untouched, under the eye of a watchdog. */
import { pipeline } from "node:stream/promises";
// @ts-types="./pg_copy_streams.d.ts"
import { from } from "pg-copy-streams";
import { PostgresFailure } from "./errors.ts";
import type { Postgres } from "./session.ts";

/** Calls `late` once when nothing has moved for the time that is allowed. */
class Watchdog {
  readonly #late: (error: PostgresFailure) => void;
  #allowedMs: number;
  #moved = performance.now();
  #timer: ReturnType<typeof setTimeout>;

  constructor(allowedMs: number, late: (error: PostgresFailure) => void) {
    this.#late = late;
    this.#allowedMs = allowedMs;
    this.#timer = setTimeout(() => this.#look(), allowedMs);
  }

  #look(): void {
    const leftMs = this.#moved + this.#allowedMs - performance.now();
    if (leftMs > 0) this.#timer = setTimeout(() => this.#look(), leftMs);
    else this.#late(new PostgresFailure(`nothing moved for ${this.#allowedMs / 1000} s`));
  }

  moved(): void {
    this.#moved = performance.now();
  }

  /** From now on so much time is allowed. */
  allow(allowedMs: number): void {
    clearTimeout(this.#timer);
    this.#allowedMs = allowedMs;
    this.moved();
    this.#look();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

/**
 * Feeds bytes to `COPY … FROM STDIN`.
 *
 * @param onBytes is told how many bytes were handed over so far
 * @returns the rows that PostgreSQL counted
 * @throws what `source` throws, and {@linkcode PostgresFailure}
 */
export async function copyIn(
  db: Postgres,
  sql: string,
  source: AsyncIterable<Uint8Array>,
  onBytes: (bytes: number) => void = () => {},
): Promise<number> {
  db.signal.throwIfAborted();
  const into = db.client.query(from(sql));
  let first: { error: unknown } | undefined;
  // COPY itself can only be ended with the server's consent, so a silent connection is cut.
  const watchdog = new Watchdog(db.limits.stallMs, (error) => {
    first ??= { error };
    db.cut();
  });
  async function* chunks() {
    let bytes = 0;
    try {
      for await (const chunk of source) {
        watchdog.moved();
        yield chunk;
        watchdog.moved();
        bytes += chunk.length;
        onBytes(bytes);
      }
    } catch (error) {
      first ??= { error };
      throw error;
    }
    // What follows is the server's own work, whose time it limits itself.
    watchdog.allow(db.patienceMs);
  }
  try {
    await pipeline(chunks, into, { signal: db.signal });
    return into.rowCount;
  } catch (error) {
    db.signal.throwIfAborted();
    if (first) throw first.error;
    throw new PostgresFailure(error);
  } finally {
    watchdog.stop();
  }
}
