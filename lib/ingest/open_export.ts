/** Opens an export of any format. */
import type { ChunkContent } from "./chunks/chunk.ts";
import type { UnpackedFile } from "./formats/unpack.ts";
import { openParquet, openWorkbook } from "./open_table.ts";
import { openCsv, openJsonLines } from "./open_text.ts";
import type { Header, HeaderSearch } from "./source/find_header.ts";

/** An export whose columns have been found. */
export interface OpenExport {
  /** Its header; its lines are 0 where a format has none. */
  header: Header;
  /** Encoding, as the Encoding standard calls it. */
  encoding: string;
  /** What follows the header, to be read once. */
  chunks: AsyncIterable<ChunkContent>;
  /** Closes it, whether it has been read to its end or not. */
  close(): Promise<void>;
}

/**
 * Opens an export.
 *
 * @throws {SalesflowError} when it is empty or damaged, or lacks columns
 */
export function openExport(file: UnpackedFile, search: Omit<HeaderSearch, "file">): Promise<OpenExport> {
  const named = { ...search, file: file.name };
  switch (file.kind) {
    case "csv":
      return openCsv(file.bytes, named);
    case "jsonl":
      return openJsonLines(file.bytes, named);
    case "xlsx":
      return openWorkbook(file.path, named);
    case "parquet":
      return openParquet(file.path, named);
  }
}
