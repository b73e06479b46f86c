/** Tables whose less important columns are left out on a narrow terminal. */
import { formatTable } from "./table.ts";

/** A column of a table. */
export interface Column {
  /** Its header. */
  name: string;
  /** Aligns it to the right and never truncates it, as for numbers and times. */
  right?: boolean;
  /** Left out if the table is too wide, the highest number first; never by default. */
  optional?: number;
  /** A cell per row. */
  cells: readonly string[];
}

function format(columns: readonly Column[], width?: number): string {
  const rows = columns[0]?.cells.map((_, row) => columns.map(({ cells }) => cells[row] ?? "")) ?? [];
  const right = columns.flatMap((column, index) => column.right ? [index] : []);
  return formatTable(columns.map(({ name }) => name), rows, { right, width });
}

/** Draws a table of the columns that fit the width. If the others do not, text is truncated: see {@linkcode formatTable}. */
export function formatColumns(columns: readonly Column[], width?: number): string {
  const whole = format(columns);
  if (width === undefined || whole.indexOf("\n") <= width) return whole;
  const least = Math.max(0, ...columns.map(({ optional = 0 }) => optional));
  if (least === 0) return format(columns, width);
  return formatColumns(columns.filter(({ optional }) => optional !== least), width);
}
