/**
 * Reads a column of a row group. The library's readers of whole row groups start all columns at once, and an error in one leaves
 * the others without a handler, which ends the process: here one chunk is decoded after the other, once its pages are checked.
 */
import type { AsyncBuffer, DecodedArray, ParquetParsers, RowGroup, SchemaTree } from "hyparquet";
import { readColumn as decodeChunk } from "hyparquet/src/column.js";
import { DEFAULT_PARSERS } from "hyparquet/src/convert.js";
import { assembleAsync } from "hyparquet/src/rowgroup.js";
import { getTreePath } from "hyparquet/src/schema.js";
import { unpackPages } from "./parquet_pages.ts";

/**
 * Reads a top-level column of a row group, with its members.
 *
 * @param schema schema of the file, with what the library shall take values for
 * @param name name of the column
 * @param parsers turn values into what is returned
 * @throws {Error} when the column is damaged or written in a way that is not supported
 */
export async function readColumn(
  file: AsyncBuffer,
  schema: SchemaTree,
  rowGroup: RowGroup,
  name: string,
  parsers: Partial<ParquetParsers>,
): Promise<DecodedArray> {
  const rows = Number(rowGroup.num_rows);
  const select = { groupStart: 0, groupRows: rows, selectStart: 0, selectEnd: rows };
  const chunks = [];
  for (const { meta_data: metadata, file_path: path } of rowGroup.columns) {
    if (!metadata) throw new Error("a column chunk has no metadata");
    if (metadata.path_in_schema[0] !== name) continue;
    if (path) throw new Error("columns in other files are not supported");
    const pathInSchema = metadata.path_in_schema;
    const schemaPath = getTreePath(schema, pathInSchema);
    const start = metadata.dictionary_page_offset || metadata.data_page_offset;
    const bytes = await file.slice(Number(start), Number(start + metadata.total_compressed_size));
    const view = new DataView(bytes);
    const unpacked = unpackPages(view, metadata, schemaPath);
    const pages = decodeChunk({ view, offset: 0 }, select, {
      pathInSchema,
      schemaPath,
      element: schemaPath.at(-1)!.element,
      type: metadata.type,
      codec: metadata.codec,
      parsers: { ...DEFAULT_PARSERS, ...parsers },
      // Asked for in the order of the pages.
      compressors: { [metadata.codec]: () => unpacked.shift()! },
      utf8: false,
    });
    chunks.push({ pathInSchema, data: Promise.resolve(pages) });
  }
  const assembled = assembleAsync({ groupStart: 0, groupRows: rows, asyncColumns: chunks }, schema, parsers);
  const { data: parts = [] } = await assembled.asyncColumns[0]?.data ?? {};
  const count = parts.reduce((sum, part) => sum + part.length, 0);
  if (count !== rows) throw new Error(`column ${name} has ${count} values in a row group of ${rows} rows`);
  return parts.length === 1 ? parts[0]! : joinParts(parts, count);
}

function joinParts(parts: readonly DecodedArray[], length: number): DecodedArray {
  const all = new Array(length);
  let at = 0;
  for (const part of parts) {
    for (let index = 0; index < part.length; index++) all[at++] = part[index];
  }
  return all;
}
