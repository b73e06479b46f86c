/**
 * Decodes LZ4 frames, the compression in which clickhouse-connect sends inserts:
 * https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md
 */
import type { Bytes } from "./bytes.ts";

const MAGIC = 0x184d2204;
const VERSION = 1;
const DICTIONARY = 0x01;
const CONTENT_CHECKSUM = 0x04;
const CONTENT_SIZE = 0x08;
const BLOCK_CHECKSUM = 0x10;
/** Bit in a block's size: the block is not compressed. */
const UNCOMPRESSED = 0x80000000;
const MIN_MATCH = 4;

/** A byte buffer that grows. */
class ByteWriter {
  bytes: Bytes;
  length = 0;

  constructor(expectedBytes: number) {
    this.bytes = new Uint8Array(expectedBytes);
  }

  /** Reserves room for `more` bytes. */
  reserve(more: number): void {
    const needed = this.length + more;
    if (needed <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, needed));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }

  append(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Appends `count` bytes starting `distance` bytes back; the copy may overlap itself. */
  repeat(distance: number, count: number): void {
    if (distance === 0 || distance > this.length) {
      throw new RangeError(
        `Cannot decode LZ4: match at distance ${distance}, but only ${this.length} bytes are decoded`,
      );
    }
    this.reserve(count);
    const from = this.length - distance;
    if (distance >= count) this.bytes.copyWithin(this.length, from, from + count);
    else for (let at = 0; at < count; at++) this.bytes[this.length + at] = this.bytes[from + at] ?? 0;
    this.length += count;
  }
}

/** Reads bytes in order; reading past the end throws RangeError. */
class ByteReader {
  at = 0;
  readonly #bytes: Bytes;
  readonly #view: DataView;

  constructor(bytes: Bytes) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get done(): boolean {
    return this.at >= this.#bytes.length;
  }

  take(count: number): Bytes {
    if (this.at + count > this.#bytes.length) {
      throw new RangeError("Cannot decode LZ4: unexpected end of data");
    }
    this.at += count;
    return this.#bytes.subarray(this.at - count, this.at);
  }

  number(bytes: 1 | 2 | 4): number {
    this.take(bytes);
    const at = this.at - bytes;
    if (bytes === 1) return this.#view.getUint8(at);
    return bytes === 2 ? this.#view.getUint16(at, true) : this.#view.getUint32(at, true);
  }

  /** Reads a length that starts in 4 bits and continues in whole bytes while they are 255. */
  length(nibble: number): number {
    let total = nibble;
    for (let more = nibble === 15 ? 255 : 0; more === 255; total += more) more = this.number(1);
    return total;
  }
}

function decodeBlock(block: Bytes, output: ByteWriter): void {
  const input = new ByteReader(block);
  while (!input.done) {
    const token = input.number(1);
    output.append(input.take(input.length(token >> 4)));
    if (input.done) return; // the last sequence has only literals
    const distance = input.number(2);
    output.repeat(distance, input.length(token & 15) + MIN_MATCH);
  }
}

function decodeFrame(input: ByteReader, output: ByteWriter): void {
  if (input.number(4) !== MAGIC) throw new RangeError("Cannot decode LZ4: not an LZ4 frame");
  const flags = input.number(1);
  if (flags >> 6 !== VERSION) {
    throw new RangeError(`Cannot decode LZ4: unknown frame version ${flags >> 6}`);
  }
  if (flags & DICTIONARY) throw new RangeError("Cannot decode LZ4: the frame needs a dictionary");
  input.take(1 + (flags & CONTENT_SIZE ? 8 : 0) + 1); // block size, content size, header checksum
  for (let size = input.number(4); size !== 0; size = input.number(4)) {
    const block = input.take(size & ~UNCOMPRESSED);
    if (size & UNCOMPRESSED) output.append(block);
    else decodeBlock(block, output);
    if (flags & BLOCK_CHECKSUM) input.take(4);
  }
  if (flags & CONTENT_CHECKSUM) input.take(4);
}

/**
 * Decodes consecutive LZ4 frames. Checksums are not verified: TCP and the formats inside have their own.
 *
 * @throws {RangeError} when the data is not LZ4 or is truncated
 */
export function decodeLz4Frames(compressed: Bytes): Bytes {
  const input = new ByteReader(compressed);
  const output = new ByteWriter(compressed.length * 4);
  while (!input.done) decodeFrame(input, output);
  return output.bytes.subarray(0, output.length);
}
