/** Opens the exports in a file: usually one, several in a zip. */
import { createHash } from "node:crypto";
import { SalesflowError } from "../console/errors.ts";
import type { FileState, Input } from "./inputs.ts";
import { unpack } from "./formats/unpack.ts";
import { openExport } from "./open_export.ts";
import type { OpenedExport } from "./opened_export.ts";
import type { HeaderSearch } from "./source/find_header.ts";

/** An export that is open. */
export interface ExportEntry {
  /** Path for messages; of a file in a zip, with its name. */
  path: string;
  /** Name for records. */
  name: string;
  /** The export. */
  export: OpenedExport;
}

/** A file that was read to its end. */
export interface ReadFile {
  /** Name without folders. */
  name: string;
  /** Bytes. */
  bytes: number;
  /** Checksum of the bytes, in hexadecimal. */
  sha256: string;
}

/**
 * Opens the exports in a file, one after another. Each must be read to its end, or closed, before the next.
 *
 * @param options `headersOnly`: the exports will be closed without being read; `signal`: ends reading, even while nothing comes
 * @returns what was read; undefined when only headers were
 * @throws {SalesflowError} when the file cannot be read or unpacked, an export lacks a column, or the file changed meanwhile
 */
export async function* openEntries(
  input: Input,
  search: Omit<HeaderSearch, "file">,
  { headersOnly = false, signal }: { headersOnly?: boolean; signal?: AbortSignal } = {},
): AsyncGenerator<ExportEntry, ReadFile | undefined> {
  const { path, name } = input;
  const before = await input.stat();
  const { bytes, localPath } = await input.open();
  const measured = new MeasuredBytes(bytes, signal);
  const { type } = search.source.format;
  const tempFolder = await Deno.makeTempDir({ prefix: "salesflow-ingest-" });
  try {
    const file = {
      name: path,
      bytes: measured.read(),
      ...(localPath === undefined ? {} : { path: localPath }),
    };
    for await (const entry of unpack(file, { tempFolder, ...(type === undefined ? {} : { kind: type }) })) {
      const opened = await openExport(entry, search);
      const inside = entry.name.slice(path.length);
      try {
        yield { path: entry.name, name: name + inside, export: opened };
      } finally {
        await opened.close();
      }
    }
    if (headersOnly) return undefined;
    // Formats that need random access are not read from the stream.
    if (localPath !== undefined && !measured.isComplete) await measured.readAgain((await input.open()).bytes);
    checkUnchanged(path, before, await input.stat(), measured.length);
    return { name, bytes: measured.length, sha256: measured.sha256() };
  } finally {
    await Deno.remove(tempFolder, { recursive: true });
  }
}

/** Bytes whose number and checksum are computed while they pass. */
class MeasuredBytes {
  length = 0;
  isComplete = false;
  #hash = createHash("sha256");
  readonly #bytes: AsyncIterable<Uint8Array>;
  readonly #signal: AbortSignal | undefined;

  constructor(bytes: AsyncIterable<Uint8Array>, signal: AbortSignal | undefined) {
    this.#bytes = bytes;
    this.#signal = signal;
  }

  async *read(bytes: AsyncIterable<Uint8Array> = this.#bytes): AsyncGenerator<Uint8Array> {
    this.#hash = createHash("sha256");
    this.length = 0;
    for await (const piece of untilAborted(bytes, this.#signal)) {
      this.#hash.update(piece);
      this.length += piece.length;
      yield piece;
    }
    this.isComplete = true;
  }

  /** Measures bytes that have not passed. */
  async readAgain(bytes: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const _ of this.read(bytes));
  }

  sha256(): string {
    return this.#hash.digest("hex");
  }
}

/** Yields pieces until a signal aborts, then throws its reason, even while the next piece does not come. */
async function* untilAborted<T>(
  pieces: AsyncIterable<T>,
  signal: AbortSignal | undefined,
): AsyncGenerator<T> {
  const iterator = pieces[Symbol.asyncIterator]();
  const aborted = Promise.withResolvers<never>();
  aborted.promise.catch(() => {});
  const abort = () => aborted.reject(signal!.reason);
  signal?.addEventListener("abort", abort, { once: true });
  try {
    for (;;) {
      signal?.throwIfAborted();
      const next = await Promise.race([iterator.next(), aborted.promise]);
      if (next.done) return;
      yield next.value;
    }
  } finally {
    signal?.removeEventListener("abort", abort);
    const closed = Promise.resolve(iterator.return?.());
    // A read that waits cannot be ended; the process ends soon.
    if (signal?.aborted) closed.catch(() => {});
    else await closed;
  }
}

/** Checks that nobody wrote a file while it was read. */
function checkUnchanged(
  path: string,
  before: FileState | undefined,
  after: FileState | undefined,
  bytes: number,
): void {
  if (!before) return;
  const isSame = after && after.size === before.size && bytes === before.size &&
    after.modifiedAt.getTime() === before.modifiedAt.getTime();
  if (isSame) return;
  throw new SalesflowError(
    `${path} changed while it was read: it had ${before.size} bytes, then ${after?.size ?? "none"}`,
    {
      exitCode: 75,
      stage: "ingest",
      remedy: "Run the command again when the export is complete. " +
        "To be safe, write exports under another name and rename them when they are complete.",
    },
  );
}
