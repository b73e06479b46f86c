/** The interface of a store, which holds runs in a folder or a bucket. See open_store.ts. */

/** A file being written. Readers see it once {@linkcode StoreWriter.close} has resolved. */
export interface StoreWriter {
  /** Writes all bytes. The buffer may be reused when the promise has resolved. */
  write(bytes: Uint8Array): Promise<void>;
  /** Makes the file durable. */
  close(): Promise<void>;
  /** Cancels writing and removes what was written. */
  abort(): Promise<void>;
}

/** A held lock. */
export interface Lock {
  /** Fires, with a {@linkcode SalesflowError}, when the lock is lost without being released. Work under the lock must then stop. */
  readonly lost: AbortSignal;
  /** Releases the lock. */
  release(): Promise<void>;
}

/** Files by path relative to the store's root, such as `runs/2026-11-24/raw/part-00000.csv`. */
export interface Store {
  /** Such as `file:///data/salesflow` or `s3://bucket/prefix`. Contains no secret. */
  readonly url: string;
  /** Returns the text of a small file; undefined when it does not exist. */
  readText(path: string): Promise<string | undefined>;
  /** Replaces a small file atomically: readers see either the old text or the new. */
  writeText(path: string, text: string): Promise<void>;
  /** Returns the size of a file in bytes; undefined when it does not exist. */
  size(path: string): Promise<number | undefined>;
  /** Returns the size of a file in bytes and the time of its last change; undefined when it does not exist. */
  stat(path: string): Promise<{ size: number; modifiedAt: Date } | undefined>;
  /** Reads bytes from `start` (inclusive) to `end` (exclusive), truncated at the end of the file. */
  read(path: string, start: number, end: number): Promise<Uint8Array<ArrayBuffer>>;
  /** Streams the bytes of a file. */
  stream(path: string): Promise<ReadableStream<Uint8Array<ArrayBuffer>>>;
  /** Creates a file, replacing an existing one. */
  create(path: string): Promise<StoreWriter>;
  /** Returns the sorted names of the files and folders directly in a folder, `""` for the root; empty when it does not exist. */
  list(folder: string): Promise<string[]>;
  /** Returns the sizes of all files below a folder together, in bytes; 0 when it does not exist. */
  folderSize(folder: string): Promise<number>;
  /** Removes a file, or a folder with its contents, if it exists. */
  remove(path: string): Promise<void>;
  /**
   * Removes partial files that killed commands left in a folder and its subfolders, except those for which `keep` returns true.
   * `keep` receives the path, relative to `folder`, that the complete file would have had.
   */
  sweep(folder: string, keep?: (path: string) => boolean): Promise<void>;
  /**
   * Acquires a named lock, held until the process ends or `release` is called; undefined when it is held already. A `shared`
   * lock can be held by several at once, but not together with an exclusive one.
   */
  lock(path: string, options?: { shared?: boolean }): Promise<Lock | undefined>;
}
