/**
 * The log of an embedded server. The host's standard error is redirected to it, so that a crash of the engine is
 * logged, too.
 */

/** Size from which the log is rotated at the next start; only one old log is kept. */
const MAX_LOG_BYTES = 4 << 20;

/** Renames a log that has grown too large to `<path>.old`. */
export async function rotateLog(path: string): Promise<void> {
  try {
    const { size } = await Deno.stat(path);
    if (size > MAX_LOG_BYTES) await Deno.rename(path, `${path}.old`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/**
 * Writes to the log from within the host. A full disk must not stop the server: text that cannot be written is
 * dropped.
 */
export function writeLog(text: string | Uint8Array): void {
  try {
    Deno.stderr.writeSync(typeof text === "string" ? new TextEncoder().encode(text) : text);
  } catch {
    // The log is the only place to report it.
  }
}
