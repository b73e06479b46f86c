/** The interface of a store: runs live in a folder or in a bucket. open_store.ts opens either. */

/** A file being written; it exists for readers when {@linkcode StoreWriter.close} has resolved. */
export interface StoreWriter {
  /** Writes all bytes; they may be reused when the promise has resolved. */
  write(bytes: Uint8Array): Promise<void>;
  /** Makes the file durable. */
  close(): Promise<void>;
  /** Gives up and removes what was written. */
  abort(): Promise<void>;
}

/** A lock that is held. */
export interface Lock {
  /** Fires when the lock is no longer ours although nobody released it, with a {@linkcode SalesflowError}: whoever works under it must stop. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

/** Files by path (`runs/2026-11-24/raw/part-00000.csv`), relative to the store's root. */
export interface Store {
  /** Such as `file:///data/salesflow` or `s3://bucket/prefix`; holds no secret. */
  readonly url: string;
  /** Whole text of a small file; undefined when there is none. */
  readText(path: string): Promise<string | undefined>;
  /** Replaces a small file in one step: readers see the old text or the new. */
  writeText(path: string, text: string): Promise<void>;
  /** Size in bytes; undefined when there is no such file. */
  size(path: string): Promise<number | undefined>;
  /** Bytes `start` (included) to `end` (excluded), cut at the end of the file. */
  read(path: string, start: number, end: number): Promise<Uint8Array<ArrayBuffer>>;
  /** The file's bytes in order. */
  stream(path: string): Promise<ReadableStream<Uint8Array<ArrayBuffer>>>;
  /** Starts a file, replacing one of the same name. */
  create(path: string): Promise<StoreWriter>;
  /** Names directly inside a folder (files and folders), sorted; none when it does not exist. */
  list(folder: string): Promise<string[]>;
  /** Removes a file, or a folder with everything in it; fine when there is none. */
  remove(path: string): Promise<void>;
  /**
   * Removes what killed commands left half written in a folder and the folders inside it, except files for which `keep` says
   * yes; it is given the path below `folder` that the file would have got.
   */
  sweep(folder: string, keep?: (path: string) => boolean): Promise<void>;
  /**
   * Holds the named lock until the process ends or `release` is called; undefined when another holds it. Those who
   * want it `shared` may hold it together, as long as nobody has it for itself.
   */
  lock(path: string, options?: { shared?: boolean }): Promise<Lock | undefined>;
}
