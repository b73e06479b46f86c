/** The currency of a run in texts that are written in roubles. No I/O. */
import type { Manifest } from "../dataset/dataset.ts";

/** Currency of generated sales, and of exports whose source file names none. ISO 4217. */
export const DEFAULT_CURRENCY = "RUB";

const ROUBLE_SIGN = "₽";

/** Returns the ISO 4217 code of a run's amounts. A run has one currency: `ingest` leaves lines with others out. */
export function currencyOf(raw: Manifest | undefined): string {
  const currency = raw?.facts.currency;
  return typeof currency === "string" ? currency : DEFAULT_CURRENCY;
}

/** Returns the shortest sign of a currency, such as `€`; its code when it has none. */
export function currencySign(code: string): string {
  const format = new Intl.NumberFormat("en", {
    style: "currency",
    currency: code,
    currencyDisplay: "narrowSymbol",
  });
  return format.formatToParts(0).find(({ type }) => type === "currency")!.value;
}

/**
 * Replaces the sign of roubles, with which report and summary are written. Letters, such as those of `CHF`, get a no-break space before
 * digits.
 */
export function withCurrency(text: string, code: string): string {
  if (code === DEFAULT_CURRENCY) return text;
  const sign = currencySign(code);
  const before = /\p{L}$/u.test(sign) ? `${sign}\u00a0` : sign;
  return text.replaceAll(/₽(?=\d)/g, () => before).replaceAll(ROUBLE_SIGN, () => sign);
}
