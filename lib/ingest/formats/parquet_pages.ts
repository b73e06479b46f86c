/**
 * Decompresses the pages of a column chunk and checks them, because the library allocates what their headers say and counts on
 * for as long as damaged runs tell it to. No I/O.
 */
import { type PageHeader, type RowGroup, type SchemaTree, snappyUncompress } from "hyparquet";
import { parquetHeader } from "hyparquet/src/column.js";
import { getMaxDefinitionLevel, getMaxRepetitionLevel } from "hyparquet/src/schema.js";
// @ts-types="./lz4.d.ts"
import { decompressLz4, decompressLz4Raw } from "hyparquet-compressors/src/lz4.js";
import { brotliDecompressSync, crc32, gunzipSync, zstdDecompressSync } from "node:zlib";

type ChunkMetadata = NonNullable<RowGroup["columns"][number]["meta_data"]>;

/** Maximum size of a page, decompressed; usual ones have a megabyte. */
const MAX_PAGE_BYTES = 512 * 1024 ** 2;
/** Maximum number of values of a chunk; a column of lists has more than its row group has rows. */
const MAX_CHUNK_VALUES = 2 ** 27;

/** Values of a run behind the last one: bits are packed in groups of eight. */
const GROUP_VALUES = 8;
const MAX_BIT_WIDTH = 32;
const LENGTH_BYTES = 4;

function decompress(bytes: Uint8Array, length: number, codec: string): Uint8Array {
  const options = { maxOutputLength: Math.max(1, length) };
  switch (codec) {
    case "SNAPPY": {
      const page = new Uint8Array(length);
      snappyUncompress(bytes, page);
      return page;
    }
    case "GZIP":
      return gunzipSync(bytes, options);
    case "BROTLI":
      return brotliDecompressSync(bytes, options);
    case "ZSTD":
      return zstdDecompressSync(bytes, options);
    case "LZ4":
      return decompressLz4(bytes, length);
    case "LZ4_RAW":
      return decompressLz4Raw(bytes, length);
    default:
      throw new Error(`compression with ${codec} is not supported`);
  }
}

/** Reports whether a number is whole and within limits. */
function isWithin(value: number | undefined, max: number): boolean {
  return value !== undefined && Number.isInteger(value) && value >= 0 && value <= max;
}

/**
 * Checks runs of repeated and of packed values.
 *
 * @param bytes the runs; they may end early, when there are fewer values than `count`
 * @throws {Error} when a run is longer than all values
 */
function checkRuns(bytes: Uint8Array, bitWidth: number, count: number): void {
  if (bitWidth > MAX_BIT_WIDTH) throw new Error(`values have ${bitWidth} bits`);
  let at = 0;
  for (let seen = 0; seen < count && at < bytes.length;) {
    let header = 0;
    let scale = 1;
    for (let byte = 0x80; byte >= 0x80; scale *= 128) {
      byte = bytes[at++] ?? 0;
      header += (byte & 0x7f) * scale;
    }
    const isPacked = header % 2 === 1;
    const run = isPacked ? (header - 1) / 2 * GROUP_VALUES : header / 2;
    seen += run;
    if (seen > count + GROUP_VALUES) throw new Error("a run has more values than its page");
    at += isPacked ? run / GROUP_VALUES * bitWidth : Math.ceil(bitWidth / 8);
  }
}

function bitWidthOf(max: number): number {
  return 32 - Math.clz32(max);
}

/** Checks runs with their length before them; returns what is behind them. */
function checkSizedRuns(bytes: Uint8Array, bitWidth: number, count: number): Uint8Array {
  const size = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0, true);
  checkRuns(bytes.subarray(LENGTH_BYTES, LENGTH_BYTES + size), bitWidth, count);
  return bytes.subarray(LENGTH_BYTES + size);
}

/** Checks the runs of a data page. */
function checkDataPage(page: Uint8Array, { data_page_header: v1, data_page_header_v2: v2 }: PageHeader, {
  repetitionBits,
  definitionBits,
  type,
  levels,
}: { repetitionBits: number; definitionBits: number; type: string; levels: Uint8Array }): void {
  const count = (v1 ?? v2)!.num_values;
  let values = page;
  if (v2) {
    const repetitionBytes = v2.repetition_levels_byte_length;
    checkRuns(levels.subarray(0, repetitionBytes), repetitionBits, count);
    checkRuns(levels.subarray(repetitionBytes), definitionBits, count);
  } else {
    if (repetitionBits > 0) values = checkSizedRuns(values, repetitionBits, count);
    if (definitionBits > 0) values = checkSizedRuns(values, definitionBits, count);
  }
  const encoding = (v1 ?? v2)!.encoding;
  if (encoding.endsWith("_DICTIONARY") && values.length > 0) checkRuns(values.subarray(1), values[0]!, count);
  else if (encoding === "RLE" && type === "BOOLEAN" && values.length > 0) checkSizedRuns(values, 1, count);
}

/**
 * Returns the decompressed pages of a chunk in order; for one without compression there are none.
 *
 * @param view bytes of the chunk
 * @param schemaPath elements from the root to the column
 * @throws {Error} when the pages do not fit the chunk, are damaged, or are compressed in a way that is not supported
 */
export function unpackPages(view: DataView, metadata: ChunkMetadata, schemaPath: SchemaTree[]): Uint8Array[] {
  const { codec, type } = metadata;
  const expected = Number(metadata.num_values);
  if (!isWithin(expected, MAX_CHUNK_VALUES)) throw new Error(`a column chunk has ${expected} values`);
  const repetitionBits = bitWidthOf(getMaxRepetitionLevel(schemaPath));
  const definitionBits = bitWidthOf(getMaxDefinitionLevel(schemaPath));
  const reader = { view, offset: 0 };
  const unpacked: Uint8Array[] = [];
  let values = 0;
  while (reader.offset < view.byteLength && values < expected) {
    const header = parquetHeader(reader);
    const { compressed_page_size: size, uncompressed_page_size: fullSize, data_page_header_v2: v2 } = header;
    const count = header.data_page_header?.num_values ?? v2?.num_values ?? 0;
    const levelBytes = v2 ? v2.repetition_levels_byte_length + v2.definition_levels_byte_length : 0;
    const fits = isWithin(size, view.byteLength - reader.offset) && isWithin(fullSize, MAX_PAGE_BYTES) &&
      isWithin(levelBytes, Math.min(size, fullSize)) && isWithin(count, expected - values);
    if (!fits) throw new Error("a page is larger than its column chunk");
    const bytes = new Uint8Array(view.buffer, view.byteOffset + reader.offset, size);
    if (header.crc !== undefined && crc32(bytes) !== header.crc >>> 0) {
      throw new Error("the checksum of a page is wrong");
    }
    const content = bytes.subarray(levelBytes);
    const isPlain = codec === "UNCOMPRESSED" ||
      (v2 && (v2.is_compressed === false || fullSize === levelBytes));
    const page = isPlain ? content : decompress(content, fullSize - levelBytes, codec);
    if (!isPlain) unpacked.push(page);
    if (header.type !== "DICTIONARY_PAGE") {
      checkDataPage(page, header, {
        repetitionBits,
        definitionBits,
        type,
        levels: bytes.subarray(0, levelBytes),
      });
    }
    reader.offset += size;
    values += count;
  }
  if (values !== expected) throw new Error(`a column chunk has ${values} values, not ${expected}`);
  return unpacked;
}
