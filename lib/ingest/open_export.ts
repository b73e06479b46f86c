/** Opens an export of any format. */
import type { UnpackedFile } from "./formats/unpack.ts";
import type { OpenedExport } from "./opened_export.ts";
import { openParquet, openWorkbook } from "./open_table.ts";
import { openCsv, openJsonLines } from "./open_text.ts";
import type { HeaderSearch } from "./source/find_header.ts";

/**
 * Opens an export.
 *
 * @throws {SalesflowError} when it is empty or damaged, or lacks columns
 */
export function openExport(file: UnpackedFile, search: Omit<HeaderSearch, "file">): Promise<OpenedExport> {
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
