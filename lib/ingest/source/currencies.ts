/** Notices that a column of an export holds several currencies although its source file declares none. No I/O. */
import { toPrintable } from "../../console/printable.ts";
import { formatMoney, fromCents } from "../../domain/money.ts";
import { type HeaderNames, normalizeName } from "./header_names.ts";
import type { SourceFile } from "./source_file.ts";

const CURRENCY_NAME = /\b(?:currency|ccy)\b|валют/;
/** Values from which no more are told apart: then the column is something else. */
const MAX_CURRENCIES = 30;
/** Currencies that a warning names. */
const MAX_NAMED = 5;

/** Returns the index of a column that looks like the currency; undefined when the source file declares it, or there is none. */
export function findCurrencyColumn({ currency }: SourceFile, header: HeaderNames): number | undefined {
  if (currency) return undefined;
  const index = header.names.findIndex((name) => CURRENCY_NAME.test(normalizeName(name)));
  return index < 0 ? undefined : index;
}

/** Sales in one currency. */
export interface CurrencySales {
  /** Number of lines. */
  lines: number;
  /** Sum of the amounts that could be computed, in cents. */
  cents: bigint;
  /** Number of the first line. */
  firstLine: number;
}

/** Sales by currency. */
export type Currencies = Map<string, CurrencySales>;

/** Adds the lines and the sum of a currency. */
export function addCurrency(all: Currencies, value: string, more: CurrencySales): void {
  const code = value.trim().toUpperCase();
  const known = all.get(code);
  if (known) {
    known.lines += more.lines;
    known.cents += more.cents;
  } else if (code !== "" && all.size < MAX_CURRENCIES) all.set(code, { ...more });
}

/** Returns the warning for several currencies in an export; undefined for one or none. @param file path of the export */
export function describeCurrencies(file: string, currencies: Currencies): string | undefined {
  if (currencies.size < 2 || currencies.size >= MAX_CURRENCIES) return undefined;
  const sorted = [...currencies].sort(([, a], [, b]) => b.lines - a.lines);
  const named = sorted.slice(0, MAX_NAMED).map(([code, { lines, cents, firstLine }]) =>
    `${toPrintable(code)} on ${lines === 1 ? `line ${firstLine}` : `${lines} lines from ${firstLine} on`}, ${
      formatMoney(fromCents(cents))
    }`
  );
  const more = sorted.length - named.length;
  return `${toPrintable(file)} holds amounts in ${currencies.size} currencies, which are added up as one: ${
    named.join("; ")
  }` +
    `${
      more > 0 ? `; and ${more} more` : ""
    }. Say which one counts: currency: {column: …, is: …} in a source file`;
}
