/** Reads zip archives from files on disk, with all checks that a zip allows. */
// @ts-types="./yauzl.d.ts"
import * as yauzl from "yauzl";
import { crc32 } from "node:zlib";
import { SalesflowError } from "../../console/errors.ts";
import { CompressionLimit } from "./compression_limit.ts";
import { damagedArchive, fileError } from "./file_error.ts";

/** A file in an archive. */
export interface ZipEntry {
  /** Path in the archive, with `/` between folders. */
  path: string;
  /** As the archive's directory has it. */
  entry: yauzl.Entry;
}

/** Maximum number of entries; exports have a few, workbooks some hundreds. */
const MAX_ENTRIES = 10_000;

const [STORED, DEFLATED] = [0, 8];
/** General purpose flag: the name is in UTF-8. */
const UTF8_FLAG = 0x800;
/** Extra field with the name in Unicode. */
const UNICODE_PATH = 0x7075;

/**
 * Decodes a name. The standard has two encodings, UTF-8 with a flag and cp437, but archivers leave the flag out, and those on
 * Russian systems write cp866.
 */
function decodeName({ generalPurposeBitFlag, fileNameRaw, extraFields }: yauzl.Entry): string {
  const isUnicode = (generalPurposeBitFlag & UTF8_FLAG) !== 0 ||
    extraFields.some(({ id }) => id === UNICODE_PATH);
  if (isUnicode) return yauzl.getFileNameLowLevel(generalPurposeBitFlag, fileNameRaw, extraFields, false);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(fileNameRaw);
  } catch {
    return new TextDecoder("ibm866").decode(fileNameRaw);
  }
}

/** Reports whether an entry is a file of the user's, not a folder or what an operating system adds. */
function isFile(path: string): boolean {
  return !path.endsWith("/") && !/(?:^|\/)(?:__MACOSX\/|\.DS_Store$|Thumbs\.db$|desktop\.ini$)/i.test(path);
}

/** An open zip archive. */
export class ZipArchive implements Disposable {
  readonly #file: yauzl.ZipFile;
  readonly #limit: CompressionLimit;
  #countedBytes = 0;

  private constructor(
    file: yauzl.ZipFile,
    /** Name for errors. */
    readonly name: string,
    /** Files in the archive, by path. */
    readonly entries: readonly ZipEntry[],
  ) {
    this.#file = file;
    this.#limit = new CompressionLimit(name);
  }

  /**
   * Opens an archive and reads its directory.
   *
   * @param path path of a file on disk
   * @param name name for errors
   * @throws {SalesflowError} when the archive is damaged, encrypted as a whole, or one of several parts
   */
  static async open(path: string, name: string): Promise<ZipArchive> {
    let file: yauzl.ZipFile | undefined;
    try {
      file = await yauzl.openPromise(path, { autoClose: false, decodeStrings: false });
      const entries: ZipEntry[] = [];
      let compressedBytes = 0;
      for await (const entry of file.eachEntry()) {
        const path = decodeName(entry).replaceAll("\\", "/").replace(/^\/+/, "");
        if (isFile(path)) entries.push({ path, entry });
        if (entries.length > MAX_ENTRIES) {
          throw fileError(
            `${name} holds more than ${MAX_ENTRIES} files`,
            "Split it into smaller archives, or decompress it yourself and ingest the files.",
          );
        }
        compressedBytes += entry.compressedSize;
      }
      if (compressedBytes > file.fileSize) throw damagedArchive(name, new Error("its entries overlap"));
      entries.sort((a, b) => a.path < b.path ? -1 : a.path > b.path ? 1 : 0);
      return new ZipArchive(file, name, entries);
    } catch (error) {
      file?.close();
      throw toZipError(name, error);
    }
  }

  /** Returns the entry with a path, whatever its case. */
  find(path: string): ZipEntry | undefined {
    const wanted = path.toLowerCase();
    return this.entries.find((entry) => entry.path.toLowerCase() === wanted);
  }

  /** Limit of the archive, for what decompresses its files further. */
  get limit(): CompressionLimit {
    return this.#limit;
  }

  /**
   * Decompresses a file.
   *
   * @throws {SalesflowError} when it is damaged, encrypted, or compressed in a way that is not supported, or when the archive is
   * a bomb
   */
  async *read({ path, entry }: ZipEntry): AsyncGenerator<Uint8Array> {
    const name = `${this.name}/${path}`;
    if (entry.isEncrypted()) {
      throw fileError(`${name} is encrypted`, "Write the archive again without a password.");
    }
    if (entry.compressionMethod !== STORED && entry.compressionMethod !== DEFLATED) {
      throw fileError(
        `${name} is compressed with method ${entry.compressionMethod}, which is not supported`,
        "Write the archive again with the method deflate, or decompress it yourself and ingest the files.",
      );
    }
    // An entry that is read twice does not pay for twice its output.
    const unpaidBytes = Math.max(0, this.#file.fileSize - this.#countedBytes);
    this.#limit.addCompressed(Math.min(entry.compressedSize, unpaidBytes));
    this.#countedBytes += entry.compressedSize;
    try {
      let checksum = 0;
      for await (const chunk of await this.#file.openReadStreamPromise(entry)) {
        this.#limit.addDecompressed(chunk.length);
        checksum = crc32(chunk, checksum);
        yield chunk;
      }
      if (checksum !== entry.crc32) throw damagedArchive(name, new Error("its checksum is wrong"));
    } catch (error) {
      throw toZipError(name, error);
    }
  }

  /** Closes the file. */
  close(): void {
    this.#file.close();
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.close();
  }
}

function toZipError(name: string, cause: unknown): Error {
  if (cause instanceof SalesflowError) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  if (/encryption/.test(message)) {
    return fileError(`${name} is encrypted`, "Write the archive again without a password.", cause);
  }
  if (/multi-disk/.test(message)) {
    return fileError(
      `${name} is one of several parts of an archive`,
      "Join the parts, and compress the whole again.",
      cause,
    );
  }
  return damagedArchive(name, cause);
}
