import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { parquetMetadata, parquetSchema, type RowGroup, type SchemaTree } from "hyparquet";
import { PHYSICAL_PARSERS, physicalSchema } from "../../../../lib/ingest/formats/parquet_columns.ts";
import { readColumn } from "../../../../lib/ingest/formats/parquet_row_group.ts";

const bytes = await Deno.readFile(new URL("data/codec_none.parquet", import.meta.url));

/** Reads the column `region` of the first row group, after a change of its metadata. */
async function read(change: (rowGroup: RowGroup) => void = () => {}, content = bytes): Promise<unknown[]> {
  const metadata = parquetMetadata(bytes.buffer);
  const schema: SchemaTree = parquetSchema({ schema: physicalSchema(parquetSchema(metadata)) });
  const rowGroup = metadata.row_groups[0]!;
  change(rowGroup);
  const file = {
    byteLength: content.byteLength,
    slice: (start: number, end?: number) => Promise.resolve(content.slice(start, end).buffer),
  };
  return Array.from(await readColumn(file, schema, rowGroup, "region", PHYSICAL_PARSERS));
}

describe("readColumn()", () => {
  it("reads the values of one column", async () => {
    assertEquals(await read(), Array.from({ length: 400 }, (_, index) => `Region ${index % 7}`));
  });

  const damages: [what: string, change: (rowGroup: RowGroup) => void, message: string][] = [
    ["fewer values than rows", (group) => group.num_rows = 401n, "has 400 values in a row group of 401 rows"],
    ["more values than rows", (group) => group.num_rows = 300n, "has 400 values in a row group of 300 rows"],
    [
      "fewer values than it says",
      ({ columns }) => columns[1]!.meta_data!.num_values = 500n,
      "has 400 values, not 500",
    ],
    [
      "more values than it says",
      ({ columns }) => columns[1]!.meta_data!.num_values = 300n,
      "larger than its column chunk",
    ],
    [
      "too many values",
      ({ columns }) => columns[1]!.meta_data!.num_values = 1n << 40n,
      "has 1099511627776 values",
    ],
    [
      "half a page",
      ({ columns }) => columns[1]!.meta_data!.total_compressed_size = 150n,
      "larger than its column chunk",
    ],
    ["another file", ({ columns }) => columns[1]!.file_path = "b.parquet", "not supported"],
    ["no metadata", ({ columns }) => delete columns[1]!.meta_data, "no metadata"],
    ["another name", ({ columns }) => columns[1]!.meta_data!.path_in_schema = ["region", "x"], "not found"],
  ];
  for (const [what, change, message] of damages) {
    it(`fails for a column with ${what}`, async () => {
      await assertRejects(() => read(change), Error, message);
    });
  }

  it("fails for a page that says it is huge", async () => {
    const position = Number(
      parquetMetadata(bytes.buffer).row_groups[0]!.columns[1]!.meta_data!.dictionary_page_offset,
    );
    // The second field of a page's header is its decompressed size, a number of one or two bytes here.
    const huge = Uint8Array.from(bytes);
    huge.set([0x15, 0x04, 0x15, 0xfe, 0xff, 0xff, 0xff, 0x0f], position);
    await assertRejects(() => read(() => {}, huge), Error);
  });
});
