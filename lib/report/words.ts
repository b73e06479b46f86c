/** The report's words: names of things, and the sentences at its top. */
import type { Figures, Product } from "./figures.ts";
import { change, compared, count, millionths, roubles, share, shortDay, shortRoubles } from "./format.ts";
import { type Html, html } from "./html.ts";
import { best, type LastWeek, perDay, type Seasons } from "./seasons.ts";
import type { Reason } from "../domain/sale.ts";

/** What people call a product; one that is in no catalogue goes by its number. */
export function productName({ name, productId }: Pick<Product, "name" | "productId">): string {
  return name ?? `product ${productId}`;
}

/** Each reason in words. */
export const REASON_WORDS: Record<Reason, string> = {
  malformed_row: "The line cannot be split into seven fields",
  missing_value: "A value is missing",
  invalid_sale_id: "The sale’s number is not a whole number from 1 up",
  invalid_customer_id: "The customer’s number is not a whole number from 1 up",
  invalid_product_id: "The product’s number is not a whole number from 1 up",
  invalid_quantity: "The quantity is not a whole number from 1 up",
  invalid_amount: "The amount is not roubles and kopecks above zero",
  invalid_date: "The date cannot be read or does not exist",
  date_out_of_range: "The date lies outside the year up to the as-of day",
  unknown_region: "The region is not one of the four",
  conflicting_duplicate: "Another row with the same sale number says something else",
};

/** What each stage does, in a few words. */
export const STAGE_WORDS: Record<string, string> = {
  migrate: "tables brought up to date",
  generate: "raw sales made",
  ingest: "the shop’s export read",
  clean: "rows converted, checked, deduplicated",
  load: "clean rows copied into PostgreSQL",
  aggregate: "sums by region and product",
  transfer: "aggregates copied to ClickHouse",
  verify: "everything recounted",
};

function strong(text: string): Html {
  return html`<strong>${text}</strong>`;
}

/** Who leads, and by how much, among the regions. */
function leader({ regions }: Figures): Html {
  const [first, second] = regions;
  if (!first) return html``;
  const lead = html`${strong(first.region)} leads with ${millionths(first.share)} of revenue`;
  return second ? html`${lead}, ahead of ${second.region} with ${millionths(second.share)}.` : html`${lead}.`;
}

/** Cents on an average day of all days. */
function usualDay({ line, span }: Seasons): bigint {
  return perDay({ amountCents: line.reduce((sum, { amountCents }) => sum + amountCents, 0n), days: span });
}

function seasonSentence(year: Seasons): Html | undefined {
  if (year.months.length < 2) return undefined;
  const usual = usualDay(year);
  const month = best(year.months, 7);
  const weekday = best(year.weekdays);
  return html`${strong(month.label)} was the strongest month: its days brought ${
    compared(perDay(month), usual)
  } an average
    day. ${weekday.label} is the strongest weekday (${change(perDay(weekday), usual)}).`;
}

function sellerSentence({ products }: Figures): Html | undefined {
  const top = products[0];
  if (!top) return undefined;
  return html`The best seller is ${strong(productName(top))}${
    top.category !== undefined && html`
      (${top.category})
    `
  } with
    ${shortRoubles(top.amountCents)}, ${millionths(top.share)} of revenue.`;
}

function weekSentence({ from, to, amountCents, beforeCents }: LastWeek, year: Seasons): Html {
  const before = beforeCents === undefined
    ? undefined
    : html`, ${compared(amountCents, beforeCents)} the seven days before`;
  return html`From ${shortDay(from)} to ${shortDay(to)} sales brought ${
    strong(shortRoubles(amountCents))
  }${before}.
    That is ${compared(amountCents, 7n * usualDay(year))} an average week.`;
}

/** The sentences at the top: how it went as a whole, and how the last week went. */
export function story(figures: Figures, year: Seasons): Html {
  const { total } = figures;
  if (!total) return html``;
  return html`<div class="story">
    <p>${strong(count(total.sales))} sales brought ${strong(shortRoubles(total.amountCents, 4))}, on average
      ${roubles(total.averageCents)} each. ${leader(figures)} ${seasonSentence(year)} ${
    sellerSentence(figures)
  }</p>
    ${
    year.lastWeek && html`
      <div>
        <h2>The last seven days</h2>
        <p>${weekSentence(year.lastWeek, year)}</p>
      </div>
    `
  }
  </div>`;
}

/** Name, value and small print of the figures at the top. */
export function headlines(figures: Figures, year: Seasons): [name: string, value: string, note: string][] {
  const { total, customers, customersAgain, quality } = figures;
  if (!total) return [];
  const week = year.lastWeek;
  return [
    ["Revenue", shortRoubles(total.amountCents, 4), roubles(total.amountCents)],
    ["Sales", count(total.sales), `of ${count(quality.raw)} raw rows`],
    ["Average check", roubles(total.averageCents), `${count(total.quantity)} units sold`],
    ["Customers", count(customers), `${share(customersAgain, customers)} bought again`],
    ...(week
      ? [[
        "Last 7 days",
        shortRoubles(week.amountCents),
        week.beforeCents === undefined
          ? `${count(week.sales)} sales`
          : `${change(week.amountCents, week.beforeCents)} on the week before`,
      ] as [string, string, string]]
      : []),
  ];
}
