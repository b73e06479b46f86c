/**
 * The log of an embedded server. Standard error of its host goes there, so that a crash of the engine is in
 * it, too.
 */

/** A log of this size is put aside at the next start; the one before it is dropped. */
const MAX_BYTES = 4 << 20;

/** Puts a log that has grown aside as `<path>.old`. */
export async function rotateLog(path: string): Promise<void> {
  try {
    const { size } = await Deno.stat(path);
    if (size > MAX_BYTES) await Deno.rename(path, `${path}.old`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/**
 * Writes to the log from within the host. A full disk must not stop a server: what cannot be written is lost.
 */
export function writeLog(text: string | Uint8Array): void {
  try {
    Deno.stderr.writeSync(typeof text === "string" ? new TextEncoder().encode(text) : text);
  } catch {
    // There is nowhere to say it.
  }
}
