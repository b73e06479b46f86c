/** Reads a file of a run from its first byte to its last and takes its measure on the way. */
import { createHash } from "node:crypto";
import type { Store } from "../store/store.ts";

/** What a file turned out to be. */
export interface Measure {
  bytes: number;
  /** Hexadecimal. */
  sha256: string;
}

/**
 * The bytes of a file; returns their measure after the last one.
 *
 * @param signal ends the reading, even in the middle of a wait for the next bytes
 */
export async function* measuredBytes(
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
    // Closes a file that was not read to its end.
    cancel();
  }
}

/** Measures a file. @param take is given its bytes in order */
export async function measureFile(
  store: Store,
  path: string,
  take: (bytes: Uint8Array<ArrayBuffer>) => void = () => {},
  signal?: AbortSignal,
): Promise<Measure> {
  const bytes = measuredBytes(store, path, signal);
  try {
    for (;;) {
      const { done, value } = await bytes.next();
      if (done) return value;
      take(value);
    }
  } finally {
    await bytes.return({ bytes: 0, sha256: "" });
  }
}

/** The start of a checksum, for people. */
export function shortSha256(sha256: string): string {
  return `${sha256.slice(0, 12)}…`;
}
