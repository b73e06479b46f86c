import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type CompressionCodec, parquetMetadata, parquetSchema } from "hyparquet";
import { getTreePath } from "hyparquet/src/schema.js";
import { unpackPages } from "../../../../lib/ingest/formats/parquet_pages.ts";

interface Chunk {
  bytes: Uint8Array;
  metadata: Parameters<typeof unpackPages>[1];
  schemaPath: Parameters<typeof unpackPages>[2];
}

/** Returns a column chunk of the first row group of a file in data/. */
async function chunkOf(file: string, column: string): Promise<Chunk> {
  const bytes = await Deno.readFile(new URL(`data/${file}.parquet`, import.meta.url));
  const all = parquetMetadata(bytes);
  const metadata = all.row_groups[0]!.columns.map(({ meta_data }) => meta_data!).find((
    { path_in_schema: path },
  ) => path.join(".") === column)!;
  const start = Number(metadata.dictionary_page_offset || metadata.data_page_offset);
  return {
    bytes: bytes.slice(start, start + Number(metadata.total_compressed_size)),
    metadata,
    schemaPath: getTreePath(parquetSchema(all), metadata.path_in_schema),
  };
}

function unpack({ bytes, metadata, schemaPath }: Chunk): Uint8Array[] {
  return unpackPages(new DataView(bytes.buffer), metadata, schemaPath);
}

describe("unpackPages()", () => {
  it("decompresses the dictionary and the pages with any codec", async () => {
    const lengths = [];
    for (const codec of ["snappy", "gzip", "brotli", "zstd", "lz4"]) {
      const pages = unpack(await chunkOf(`codec_${codec}`, "region"));
      lengths.push(pages.map(({ length }) => length).join());
    }
    assertEquals(new Set(lengths).size, 1, lengths.join(" "));
    assertEquals(lengths[0]!.split(",").length, 2);
    assertEquals(unpack(await chunkOf("codec_none", "region")), []);
  });

  it("checks the checksums of pages that have one", async () => {
    const chunk = await chunkOf("encodings", "delta64");
    assertEquals(unpack(chunk).length, 1);
    const last = chunk.bytes.length - 1;
    const changed = { ...chunk, bytes: chunk.bytes.with(last, chunk.bytes[last]! ^ 1) };
    assertThrows(() => unpack(changed), Error, "the checksum of a page is wrong");
  });

  it("refuses codecs that it does not know", async () => {
    const chunk = await chunkOf("codec_snappy", "region");
    const metadata = { ...chunk.metadata, codec: "LZO" as CompressionCodec };
    assertThrows(() => unpack({ ...chunk, metadata }), Error, "compression with LZO is not supported");
  });

  it("refuses runs that are longer than their page", async () => {
    // Levels of pages of the second version are not compressed: a bit that continues the length of a run makes it huge.
    const chunk = await chunkOf("types_v2", "int32");
    const refusals = Array.from(chunk.bytes, (byte, at) => {
      try {
        unpack({ ...chunk, bytes: chunk.bytes.with(at, byte | 0x80) });
        return "";
      } catch (error) {
        return (error as Error).message;
      }
    });
    assertEquals(refusals.includes("a run has more values than its page"), true, refusals.join("\n"));
  });

  it("refuses pages that do not fit", async () => {
    const chunk = await chunkOf("codec_zstd", "id");
    const cut = { ...chunk, bytes: chunk.bytes.slice(0, -1) };
    assertThrows(() => unpack(cut), Error, "a page is larger than its column chunk");
    const metadata = { ...chunk.metadata, num_values: 2n ** 40n };
    assertThrows(() => unpack({ ...chunk, metadata }), Error, "a column chunk has 1099511627776 values");
  });
});
