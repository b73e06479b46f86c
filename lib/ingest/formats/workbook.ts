/** Reads the rows of a sheet of an .xlsx workbook, piece by piece. */
import { SalesflowError } from "../../console/errors.ts";
import { toPrintable } from "../../console/printable.ts";
import { normalizeName } from "../source/header_names.ts";
import { damagedFile, fileError } from "./file_error.ts";
import type { DecimalMark } from "./plain_number.ts";
import { type SheetRow, SheetRows } from "./sheet_rows.ts";
import { parsePart, readWorkbook, type Sheet } from "./workbook_parts.ts";
import { ZipArchive } from "./zip_archive.ts";

/** How to read a workbook. */
export interface WorkbookOptions {
  /**
   * Name of the sheet, or its number from 1; a sheet that has the text as its name comes first.
   *
   * @default the first sheet with cells
   */
  sheet?: string;
  /**
   * Mark before the decimals of numbers.
   *
   * @default {"."}
   */
  decimal?: DecimalMark;
}

/** Maximum number of characters of the names of all sheets in an error message. */
const MAX_NAMES_CHARACTERS = 500;

/**
 * Reads the rows of a sheet in order; rows without a value are left out, but count in the line numbers.
 *
 * Numbers are the shortest decimals that read back the same; dates are `yyyy-MM-dd` or `yyyy-MM-dd HH:mm:ss`, times `HH:mm:ss`; logical
 * values are `true` and `false`; errors such as `#N/A` stay. Formulas count with their calculated values. Of merged cells the
 * first has the value. Nothing is calculated, run or fetched.
 *
 * @param file path of the workbook on disk, and its name for errors
 * @throws {SalesflowError} when the workbook is damaged or too large, or has no such sheet
 */
export async function* readSheet(
  { path, name }: { path: string; name: string },
  { sheet, decimal = "." }: WorkbookOptions = {},
): AsyncGenerator<SheetRow[]> {
  using archive = await ZipArchive.open(path, name);
  try {
    const workbook = await readWorkbook(archive);
    const { path } = findSheet(workbook.sheets, sheet, name);
    const rows = new SheetRows(workbook, decimal);
    for await (const _ of parsePart(archive, path, rows)) {
      const complete = rows.take();
      if (complete.length > 0) yield complete;
    }
  } catch (error) {
    throw error instanceof SalesflowError ? error : damagedFile(name, "workbook", error);
  }
}

function findSheet(sheets: readonly Sheet[], wanted: string | undefined, workbook: string): Sheet {
  const withCells = sheets.filter(({ hasCells }) => hasCells);
  const found = wanted === undefined ? withCells[0] : sheets.find(({ name }) => name === wanted) ??
    sheets.find(({ name }) => normalizeName(name) === normalizeName(wanted)) ??
    (/^\d{1,9}$/.test(wanted) ? sheets[Number(wanted) - 1] : undefined);
  if (found?.hasCells) return found;
  const problem = wanted === undefined || found ? "has no cells" : "is not there";
  const which = wanted === undefined ? "first sheet" : `sheet ${wanted}`;
  throw fileError(
    `${workbook}: the ${which} ${problem}. Its sheets are: ${
      toPrintable(withCells.map(({ name }) => name).join(", "), MAX_NAMES_CHARACTERS)
    }`,
    "Name one of them in the source file under format: sheet.",
  );
}
