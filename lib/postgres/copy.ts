/** COPY into PostgreSQL: bytes pass through untouched, under the eye of a watchdog. */
import { pipeline } from "node:stream/promises";
// @ts-types="./pg_copy_streams.d.ts"
import { from } from "pg-copy-streams";
import { PostgresFailure } from "./errors.ts";
import type { Postgres } from "./session.ts";

/** Calls `late` when nothing has passed for `ms`. */
class Watchdog {
  readonly #ms: number;
  #moved = true;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(ms: number, late: (error: Error) => void) {
    this.#ms = ms;
    this.#timer = setInterval(() => {
      if (this.#moved) this.#moved = false;
      else late(new PostgresFailure(`nothing moved for ${this.#ms / 1000} s`));
    }, ms);
  }

  moved(): void {
    this.#moved = true;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

/**
 * Feeds bytes to `COPY … FROM STDIN`.
 *
 * @param onBytes is told how many bytes were handed over so far
 * @returns the rows that PostgreSQL counted
 */
export async function copyIn(
  db: Postgres,
  sql: string,
  source: AsyncIterable<Uint8Array>,
  onBytes: (bytes: number) => void = () => {},
): Promise<number> {
  db.signal.throwIfAborted();
  const into = db.client.query(from(sql));
  const watchdog = new Watchdog(db.limits.stallMs, (error) => into.destroy(error));
  let bytes = 0;
  let ofSource: { error: unknown } | undefined;
  async function* chunks() {
    try {
      for await (const chunk of source) {
        watchdog.moved();
        yield chunk;
        bytes += chunk.length;
        onBytes(bytes);
      }
    } catch (error) {
      ofSource = { error };
      throw error;
    }
    // What follows is the server's own work: its time is limited by statement_timeout.
    watchdog.stop();
  }
  try {
    await pipeline(chunks, into, { signal: db.signal });
    return into.rowCount;
  } catch (error) {
    db.signal.throwIfAborted();
    if (ofSource) throw ofSource.error;
    throw error instanceof PostgresFailure ? error : new PostgresFailure(error);
  } finally {
    watchdog.stop();
  }
}
