// The part of npm:yauzl that this folder uses; the package has no types of its own.
import type { Buffer } from "node:buffer";
import type { Readable } from "node:stream";

/** An entry of the central directory. */
export interface Entry {
  fileNameRaw: Buffer;
  generalPurposeBitFlag: number;
  extraFields: { id: number; data: Buffer }[];
  /** 0 is stored, 8 deflated. */
  compressionMethod: number;
  crc32: number;
  compressedSize: number;
  uncompressedSize: number;
  isEncrypted(): boolean;
}

/** An open archive. */
export interface ZipFile {
  /** Size of the archive in bytes. */
  fileSize: number;
  eachEntry(): AsyncIterable<Entry>;
  openReadStreamPromise(entry: Entry): Promise<Readable>;
  close(): void;
}

/** Options of reading an archive. */
export interface Options {
  /** Whether to close the archive behind the last entry or an error. */
  autoClose?: boolean;
  /** Whether names are decoded and checked. */
  decodeStrings?: boolean;
}

/** Opens an archive. */
export function openPromise(path: string, options?: Options): Promise<ZipFile>;

/** Decodes a name by the flag of its encoding and the extra field for Unicode names. */
export function getFileNameLowLevel(
  generalPurposeBitFlag: number,
  fileNameRaw: Buffer,
  extraFields: Entry["extraFields"],
  strictFileNames: boolean,
): string;
