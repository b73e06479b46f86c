/** Opens workbooks and Parquet files: their values have types, and come as records. */
import type { ChunkContent, ChunkRecord } from "./chunks/chunk.ts";
import { ParquetFile, type ParquetRows } from "./formats/parquet.ts";
import { readSheet } from "./formats/workbook.ts";
import type { SheetRow } from "./formats/sheet_rows.ts";
import type { OpenedExport } from "./opened_export.ts";
import { checkHeader, findTableHeader, type HeaderSearch, MAX_HEADER_LINE } from "./source/find_header.ts";
import { HeaderNames, joinTexts, neededColumns } from "./source/header_names.ts";

/** Records of a chunk. */
const CHUNK_RECORDS = 10_000;

/** Returns the values of a row for so many columns; what stands beside the table is no part of it. */
function fit(values: readonly string[], columns: number): string[] {
  return Array.from({ length: columns }, (_, index) => values[index] ?? "");
}

/**
 * Opens a sheet of a workbook.
 *
 * @throws {SalesflowError} when it cannot be read, or its header lacks columns
 */
export async function openWorkbook(path: string, search: HeaderSearch): Promise<OpenedExport> {
  const { format, numbers } = search.source;
  const batches = readSheet({ path, name: search.file }, {
    ...(format.sheet === undefined ? {} : { sheet: format.sheet }),
    decimal: numbers?.decimal ?? ".",
  });
  try {
    const first: SheetRow[] = [];
    const lastLine = Math.max(MAX_HEADER_LINE, format.header ?? 0);
    for (let next = await batches.next(); !next.done; next = await batches.next()) {
      first.push(...next.value);
      if (first.at(-1)!.line >= lastLine) break;
    }
    const header = findTableHeader(first, search);
    const names = header.names.map((name) => name);
    while (names.at(-1)?.trim() === "") names.pop();
    const rest = first.filter(({ line }) => line > header.line);
    return {
      header: { ...header, names },
      encoding: "utf-8",
      chunks: toChunks(rest, batches, { lines: header.line, columns: names.length }),
      close: async () => void await batches.return(undefined),
    };
  } catch (error) {
    await batches.return(undefined);
    throw error;
  }
}

async function* toChunks(
  first: readonly SheetRow[],
  batches: AsyncIterable<readonly SheetRow[]>,
  { lines: before, columns }: { lines: number; columns: number },
): AsyncGenerator<ChunkContent> {
  let lines = before;
  let rows = [...first];
  const take = (): ChunkContent => {
    const records = rows.map(({ values, line }): ChunkRecord => ({
      values: fit(values, columns),
      line: line - lines,
    }));
    const last = rows.at(-1)!.line;
    const content = { kind: "records" as const, records, lines: last - lines };
    lines = last;
    rows = [];
    return content;
  };
  for await (const batch of batches) {
    for (const row of batch) rows.push(row);
    if (rows.length >= CHUNK_RECORDS) yield take();
  }
  if (rows.length > 0) yield take();
}

/**
 * Opens a Parquet file; only the columns that the rules name are read.
 *
 * @throws {SalesflowError} when it cannot be read, or lacks columns
 */
export async function openParquet(path: string, search: HeaderSearch): Promise<OpenedExport> {
  const file = await ParquetFile.open({ path, name: search.file });
  try {
    const names = file.columns;
    checkHeader({ names, line: 0 }, search);
    const found = new HeaderNames(names);
    const optional = joinTexts(search.source).flatMap((text) => found.find(text) ?? []);
    const needed = neededColumns(search.source).map(({ name }) => found.find(name)!);
    const columns = [...new Set([...needed, ...optional])];
    const rows = file.read({ columns, decimal: search.source.numbers?.decimal ?? "." });
    return {
      header: { names: columns.map((index) => names[index]!), line: 0, lastLine: 0 },
      encoding: "utf-8",
      chunks: toRecords(rows),
      close: async () => {
        await rows.return(undefined);
        file[Symbol.dispose]();
      },
    };
  } catch (error) {
    file[Symbol.dispose]();
    throw error;
  }
}

async function* toRecords(batches: AsyncIterable<ParquetRows>): AsyncGenerator<ChunkContent> {
  for await (const { rows } of batches) {
    const records = rows.map((values, index): ChunkRecord => ({ values, line: index + 1 }));
    yield { kind: "records", records, lines: rows.length };
  }
}
