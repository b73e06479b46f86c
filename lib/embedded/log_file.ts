/** Log files of the embedded servers: appended to, and put aside when they have grown. */

/** A log of this size is put aside at the next start; the one before it is dropped. */
const MAX_BYTES = 4 << 20;

/** An open log. */
export interface Log {
  readonly path: string;
  /** Appends text; a full disk must not stop a server. */
  write(text: string): void;
}

/** Puts a log that has grown aside as `<path>.old`. */
export async function rotateLog(path: string): Promise<void> {
  try {
    const { size } = await Deno.stat(path);
    if (size > MAX_BYTES) await Deno.rename(path, `${path}.old`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Opens a log for appending; only its owner can read it. */
export async function openLog(path: string): Promise<Log> {
  await rotateLog(path);
  const file = await Deno.open(path, { append: true, create: true, mode: 0o600 });
  const encoder = new TextEncoder();
  return {
    path,
    write(text) {
      try {
        file.writeSync(encoder.encode(text));
      } catch {
        // Nowhere to say it.
      }
    },
  };
}
