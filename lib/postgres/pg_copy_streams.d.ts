// The part of npm:pg-copy-streams that this folder uses; see pg.d.ts.
import type { Writable } from "node:stream";

export interface CopyInto extends Writable {
  /** Rows that the server counted, known when the stream has finished. */
  readonly rowCount: number;
  submit(connection: unknown): void;
}

export function from(sql: string): CopyInto;
