/** Texts of imports and their comparison for the terminal. No I/O. */
import { type Column, formatColumns } from "../console/columns.ts";
import { toPrintable } from "../console/printable.ts";
import { divideHalfUp, formatMoney, fromCents } from "../domain/money.ts";
import type { Compared, Comparison } from "./comparison.ts";
import type { Import } from "./imports.ts";
import { MIN_VALUES, THRESHOLD } from "./unusual.ts";

/** Products that rose or fell most. */
const MAX_PRODUCTS = 5;
const MAX_NAME_LENGTH = 24;

function amount(cents: bigint | undefined): string {
  return cents === undefined ? "–" : formatMoney(fromCents(cents));
}

function signed(cents: bigint): string {
  return cents > 0n ? `+${amount(cents)}` : amount(cents);
}

/** Formats a change in tenths of a percent, such as `+12.3%`. */
function percent(change: bigint, before: bigint): string {
  if (before <= 0n) return "";
  const size = divideHalfUp(change < 0n ? -change : change, before, 1000n);
  return `${change < 0n ? "-" : "+"}${size / 10n}.${size % 10n}%`;
}

/** Draws the imports, each with its change against the one before it. */
export function formatHistory(imports: readonly Import[], width: number | undefined): string {
  return formatColumns([
    { name: "import date", cells: imports.map(({ date }) => date) },
    { name: "run", optional: 1, cells: imports.map(({ runId }) => toPrintable(runId, MAX_NAME_LENGTH)) },
    { name: "sales", right: true, cells: imports.map(({ sales }) => formatMoney(String(sales))) },
    { name: "revenue", right: true, cells: imports.map(({ cents }) => amount(cents)) },
    {
      name: "average",
      right: true,
      optional: 2,
      cells: imports.map(({ averageCents }) => amount(averageCents)),
    },
    {
      name: "change",
      right: true,
      cells: imports.map(({ cents }, index) => {
        const before = imports[index - 1];
        return before ? percent(cents - before.cents, before.cents) : "";
      }),
    },
  ], width);
}

function changeColumns(rows: readonly Compared[], hasMix: boolean): Column[] {
  return [
    { name: "before", right: true, optional: 1, cells: rows.map(({ before }) => amount(before)) },
    { name: "after", right: true, optional: 2, cells: rows.map(({ after }) => amount(after)) },
    { name: "change", right: true, cells: rows.map(({ change }) => signed(change)) },
    { name: "quantity", right: true, cells: rows.map(({ quantity }) => signed(quantity)) },
    { name: "price", right: true, cells: rows.map(({ price }) => signed(price)) },
    ...(hasMix ? [{ name: "mix", right: true, cells: rows.map(({ mix }) => signed(mix)) }] : []),
  ];
}

function formatProducts(
  title: string,
  rows: readonly Compared[],
  names: ReadonlyMap<string, string>,
  width: number | undefined,
): string[] {
  if (rows.length === 0) return [];
  const name = ({ key }: Compared) => toPrintable(names.get(key) ?? `product ${key}`, MAX_NAME_LENGTH);
  const table = formatColumns([
    { name: "product", cells: rows.map((row) => `${name(row)}${row.unusual ? " *" : ""}`) },
    ...changeColumns(rows, rows.some(({ mix }) => mix !== 0n)),
  ], width);
  return [`${title}\n${table}`];
}

/** Draws a comparison. @param names of products, by number */
export function formatComparison(
  { before, after, total, regions, products, hasUsual }: Comparison,
  names: ReadonlyMap<string, string>,
  width: number | undefined,
): string {
  const all: Compared = { key: "All", before: before.cents, after: after.cents, ...total, unusual: false };
  const rows = [...regions, all];
  const risen = products.filter(({ change }) => change > 0n).slice(0, MAX_PRODUCTS);
  const fallen = products.filter(({ change }) => change < 0n).slice(0, MAX_PRODUCTS);
  const marked = products.filter(({ unusual }) => unusual).length;
  return [
    `${before.date} (run ${toPrintable(before.runId)}) → ${after.date} (run ${toPrintable(after.runId)}): ` +
    `${amount(before.cents)} → ${amount(after.cents)}, ${
      percent(total.change, before.cents) || "from nothing"
    }`,
    formatColumns([
      { name: "region", cells: rows.map(({ key }) => toPrintable(key)) },
      ...changeColumns(rows, true),
    ], width),
    ...formatProducts("Rose most", risen, names, width),
    ...formatProducts("Fell most", fallen, names, width),
    hasUsual
      ? `* unusual: ${marked} of ${products.length} products changed by more than ${THRESHOLD} robust deviations.`
      : `Nothing is marked as unusual: fewer than ${MIN_VALUES} products, or most changed alike.`,
    "quantity + price + mix = change, to the cent: docs/history.md explains them.",
  ].join("\n\n");
}
