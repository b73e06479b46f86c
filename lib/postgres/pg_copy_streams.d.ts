// The part of npm:pg-copy-streams that this folder uses; see pg.d.ts.
import type { Writable } from "node:stream";

/** The stream of `COPY … FROM STDIN`. */
export interface CopyInto extends Writable {
  /** Rows that the server reports; set when the stream has finished. */
  readonly rowCount: number;
  /** Called by the driver. */
  submit(connection: unknown): void;
}

/** Returns a stream for a `COPY … FROM STDIN` statement. */
export function from(sql: string): CopyInto;
