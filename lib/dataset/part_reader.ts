/** Reads files of a run, and computes their size and checksum on the way. */
import { createHash } from "node:crypto";
import type { Store } from "../store/store.ts";

/** Size and checksum of a file. */
export interface Measure {
  /** Size of the file. */
  bytes: number;
  /** In hexadecimal. */
  sha256: string;
}

/**
 * Yields the bytes of a file, then returns its size and checksum.
 *
 * @param signal cancels reading, even while waiting for the next bytes
 */
export async function* streamMeasured(
  store: Store,
  path: string,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array<ArrayBuffer>, Measure, void> {
  signal?.throwIfAborted();
  const hash = createHash("sha256");
  let bytes = 0;
  const reader = (await store.stream(path)).getReader();
  const cancel = () => void reader.cancel().catch(() => {});
  signal?.addEventListener("abort", cancel, { once: true });
  try {
    for (;;) {
      const { done, value } = await reader.read();
      signal?.throwIfAborted();
      if (done) break;
      hash.update(value);
      bytes += value.length;
      yield value;
    }
    return { bytes, sha256: hash.digest("hex") };
  } finally {
    signal?.removeEventListener("abort", cancel);
    // Closes the file if the caller stopped early.
    cancel();
  }
}

/**
 * Reads a whole file; returns its size and checksum.
 *
 * @param onBytes called with each chunk
 * @param signal cancels reading
 */
export async function measureFile(
  store: Store,
  path: string,
  onBytes: (bytes: Uint8Array<ArrayBuffer>) => void = () => {},
  signal?: AbortSignal,
): Promise<Measure> {
  const bytes = streamMeasured(store, path, signal);
  try {
    for (;;) {
      const { done, value } = await bytes.next();
      if (done) return value;
      onBytes(value);
    }
  } finally {
    await bytes.return({ bytes: 0, sha256: "" });
  }
}

/** Abbreviates a checksum to 12 digits, for display. */
export function shortSha256(sha256: string): string {
  return `${sha256.slice(0, 12)}…`;
}
