/** Picks the columns of an export for what a sale needs, by their names and values. No I/O. */
import { type Column, countValues, looksNumeric, shareOf } from "./column_stats.ts";
import { findDates } from "./date_formats.ts";
import { fitName, type Role } from "./vocabulary.ts";

/** Columns that may have a role, the best first. */
export type Picked = ReadonlyMap<Role, readonly Candidate[]>;

/** A column that may have a role. */
export interface Candidate extends Column {
  /** Whether its name says little. */
  isVague: boolean;
}

/** Values that are looked at for dates. */
const TRIED_DATES = 2_000;
/** Kinds of values of a status. */
const MAX_STATUSES = 30;
/** Shares of values from which a column is of a kind, and shares of lines from which it is of use. */
const [MIN_SHARE, MIN_FILLED] = [0.8, 0.3];

function isFilled({ filled, rows }: Column, share: number): boolean {
  return filled.length > 0 && filled.length >= rows * share;
}

const FITS: Readonly<Record<Role, (column: Column) => boolean>> = {
  line: (column) => isFilled(column, 0.9),
  order: (column) => isFilled(column, 0.5),
  customer: (column) => isFilled(column, MIN_FILLED),
  sku: (column) => isFilled(column, MIN_FILLED),
  productName: (column) => isFilled(column, MIN_FILLED),
  category: (column) => isFilled(column, MIN_FILLED),
  quantity: (column) => isFilled(column, MIN_FILLED) && shareOf(column.filled, looksNumeric) >= MIN_SHARE,
  price: (column) => isFilled(column, MIN_FILLED) && shareOf(column.filled, looksNumeric) >= MIN_SHARE,
  amount: (column) => isFilled(column, MIN_FILLED) && shareOf(column.filled, looksNumeric) >= MIN_SHARE,
  discount: (column) => shareOf(column.filled, looksNumeric) >= MIN_SHARE,
  date: (column) =>
    isFilled(column, MIN_FILLED) && findDates(column.filled.slice(0, TRIED_DATES)) !== undefined,
  status: (column) => column.filled.length > 0 && countValues(column.filled).length <= MAX_STATUSES,
  document: (column) => column.filled.length > 0 && countValues(column.filled).length <= MAX_STATUSES,
  currency: (column) => shareOf(column.filled, (value) => /^[A-Za-z]{3}$/.test(value)) >= MIN_SHARE,
  region: (column) => column.filled.length > 0,
};

/** Picks the columns that fit each role. */
export function pickColumns(columns: readonly Column[]): Picked {
  const words = columns.map((column) => column.words);
  return new Map(
    (Object.keys(FITS) as Role[]).map((role) => {
      const fitting = columns.flatMap((column) => {
        const fit = fitName(column.name, role, words);
        return fit && FITS[role](column) ? [{ ...column, ...fit }] : [];
      });
      return [role, fitting.sort((a, b) => Number(a.isVague) - Number(b.isVague) || a.rank - b.rank)];
    }),
  );
}
