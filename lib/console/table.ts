/** Tables for the terminal. No I/O but the terminal's size; the caller escapes unprintable characters. */
import Table from "cli-table3";

/** A narrower column of text says too little: rows are then printed as lines of name and value. */
const MIN_TEXT_WIDTH = 8;
/** Spaces at both sides of a cell. */
const PADDING = 2;
/** The library needs a time that is quadratic in the number of rows, so it gets few at a time. */
const CHUNK_ROWS = 50;
const NO_BORDERS = Object.fromEntries(
  [
    ...["top", "top-mid", "top-left", "top-right", "bottom", "bottom-mid", "bottom-left", "bottom-right"],
    ...["left", "left-mid", "mid", "mid-mid", "right", "right-mid", "middle"],
  ].map((part) => [part, ""]),
);

/** Cells of a row. */
type Cells = readonly string[];

/** How {@linkcode formatTable} draws. */
export interface TableOptions {
  /** Names or positions (from 0) of right-aligned columns, such as numbers; these are never truncated. */
  right?: readonly (string | number)[];
  /** Columns of the terminal. @default {Infinity} */
  width?: number | undefined;
}

/** Returns the columns of the terminal that `stream` writes to; undefined for files and pipes. */
export function terminalWidth(stream: { isTerminal(): boolean } = Deno.stdout): number | undefined {
  if (!stream.isTerminal()) return undefined;
  try {
    return Deno.consoleSize().columns || undefined;
  } catch {
    return undefined;
  }
}

/** Draws few rows. Without `widths`, each column is as wide as its widest cell. */
function draw(
  head: Cells,
  rows: readonly Cells[],
  isRight: readonly boolean[],
  widths?: readonly number[],
): string {
  const table = new Table({
    head: [...head],
    colAligns: isRight.map((right) => right ? "right" : "left"),
    style: { head: [], border: [], compact: true },
    ...(widths ? { colWidths: [...widths] } : {}),
  });
  for (const row of rows) table.push([...row]);
  return table.toString();
}

/** Returns the width of each column, padding included: the upper border of the drawn table shows it. */
function measureWidths(rows: readonly Cells[]): number[] {
  const drawn = draw([], rows, []);
  return drawn.slice(1, drawn.indexOf("\n") - 1).split("┬").map(({ length }) => length);
}

function* chunksOf(rows: readonly Cells[]): Generator<readonly Cells[]> {
  for (let at = 0; at < rows.length; at += CHUNK_ROWS) yield rows.slice(at, at + CHUNK_ROWS);
}

/** Returns the width of the whole table. */
function totalWidth(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, widths.length + 1);
}

/** Shrinks the widest columns of text until the table has the given width; undefined when it cannot. */
function fitWidths(
  widths: readonly number[],
  isRight: readonly boolean[],
  width: number,
): number[] | undefined {
  if (totalWidth(widths) <= width) return [...widths];
  for (let limit = Math.max(...widths) - 1; limit >= MIN_TEXT_WIDTH + PADDING; limit--) {
    const shrunk = widths.map((own, index) => isRight[index] ? own : Math.min(own, limit));
    let spare = width - totalWidth(shrunk);
    if (spare < 0) continue;
    // Several columns at the limit leave room for some that are wider by one.
    return shrunk.map((own, index) => own < widths[index]! && spare-- > 0 ? own + 1 : own);
  }
  return undefined;
}

/** Draws each row as lines of name and value, below a line that numbers it. */
function drawRecords(head: Cells, rows: readonly Cells[], width: number): string {
  const names = Math.max(...head.flatMap((name) => measureWidths([[name]])));
  const nameWidth = Math.min(names, Math.max(MIN_TEXT_WIDTH, Math.floor(width / 2)));
  return rows.map((row, index) => {
    const table = new Table({
      chars: NO_BORDERS,
      style: { head: [], border: [], "padding-left": 0, "padding-right": PADDING },
      // The padding at the end of a line is removed.
      colWidths: [nameWidth, Math.max(MIN_TEXT_WIDTH, width - nameWidth + PADDING)],
    });
    for (const [column, name] of head.entries()) table.push([name, row[column] ?? ""]);
    const lines = table.toString().split("\n").map((line) => line.trimEnd());
    return [`── row ${index + 1} `.padEnd(Math.min(width, 40), "─"), ...lines].join("\n");
  }).join("\n");
}

/**
 * Draws a table with a rule below its head only. When it is wider than the terminal, its widest columns of text are
 * truncated with `…`; when that is not enough, each row is printed as lines of name and value.
 */
export function formatTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  options: TableOptions = {},
): string {
  const { right = [], width = Infinity } = options;
  if (head.length === 0) return "";
  const isRight = head.map((name, index) => right.includes(name) || right.includes(index));
  let natural = measureWidths([head]);
  for (const chunk of chunksOf(rows)) {
    const widths = measureWidths(chunk);
    natural = natural.map((own, index) => Math.max(own, widths[index] ?? 0));
  }
  const widths = fitWidths(natural, isRight, width);
  if (!widths) return (rows.length === 0 ? head.join(", ") : drawRecords(head, rows, width)).toWellFormed();
  const lines = draw(head, rows.slice(0, 1), isRight, widths).split("\n");
  const last = lines.pop()!;
  for (const chunk of chunksOf(rows.slice(1))) {
    for (const line of draw([], chunk, isRight, widths).split("\n").slice(1, -1)) lines.push(line);
  }
  // A truncated cell may end in the middle of a surrogate pair.
  return [...lines, last].join("\n").toWellFormed();
}
