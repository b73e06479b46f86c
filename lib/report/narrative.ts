/** The text and the key figures at the top of the page. */
import {
  formatChange,
  formatCompactRoubles,
  formatComparison,
  formatCount,
  formatMillionths,
  formatRoubles,
  formatShare,
  formatShortDate,
} from "./format.ts";
import { type Html, html } from "./html.ts";
import { productName } from "./labels.ts";
import type { ReportData } from "./report_data.ts";
import { bestPeriod, dailyAverage, type LastWeek, type Trends } from "./trends.ts";

function strong(text: string): Html {
  return html`<strong>${text}</strong>`;
}

/** The region with the highest revenue, compared to the second. */
function leaderSentence({ regions }: ReportData): Html {
  const [first, second] = regions;
  if (!first) return html``;
  const lead = html`${strong(first.region)} leads with ${formatMillionths(first.share)} of revenue`;
  return second
    ? html`${lead}, ahead of ${second.region} with ${formatMillionths(second.share)}.`
    : html`${lead}.`;
}

/** Returns the average amount per day of the whole span, in cents. */
function overallDailyAverage({ series, spanDays }: Trends): bigint {
  return dailyAverage({
    amountCents: series.reduce((sum, { amountCents }) => sum + amountCents, 0n),
    days: spanDays,
  });
}

function seasonSentence(trends: Trends): Html | undefined {
  if (trends.months.length < 2) return undefined;
  const usual = overallDailyAverage(trends);
  const month = bestPeriod(trends.months, 7);
  const weekday = bestPeriod(trends.weekdays);
  return html`${strong(month.label)} was the strongest month: its days brought in ${
    formatComparison(dailyAverage(month), usual)
  } an average
    day. ${weekday.label} is the strongest weekday (${formatChange(dailyAverage(weekday), usual)}).`;
}

function bestSellerSentence({ products }: ReportData): Html | undefined {
  const top = products[0];
  if (!top) return undefined;
  return html`The best seller is ${strong(productName(top))}${
    top.category !== undefined && html`
      (${top.category})
    `
  } with
    ${formatCompactRoubles(top.amountCents)}, ${formatMillionths(top.share)} of revenue.`;
}

function lastWeekSentence({ from, to, amountCents, previousCents }: LastWeek, trends: Trends): Html {
  const before = previousCents === undefined
    ? undefined
    : html`, ${formatComparison(amountCents, previousCents)} the seven days before`;
  return html`From ${formatShortDate(from)} to ${formatShortDate(to)} sales brought in ${
    strong(formatCompactRoubles(amountCents))
  }${before}.
    That is ${formatComparison(amountCents, 7n * overallDailyAverage(trends))} an average week.`;
}

/** Renders the text at the top of the page: all sales, then the last seven days. */
export function renderNarrative(data: ReportData, trends: Trends): Html {
  const { total } = data;
  if (!total) return html``;
  return html`<div class="story">
    <p>${strong(formatCount(total.sales))} sales brought in ${
    strong(formatCompactRoubles(total.amountCents, 4))
  }, on average
      ${formatRoubles(total.averageCents)} each. ${leaderSentence(data)} ${seasonSentence(trends)} ${
    bestSellerSentence(data)
  }</p>
    ${
    trends.lastWeek && html`
      <div>
        <h2>The last seven days</h2>
        <p>${lastWeekSentence(trends.lastWeek, trends)}</p>
      </div>
    `
  }
  </div>`;
}

/** Returns the key figures at the top of the page. */
export function headlineMetrics(
  data: ReportData,
  trends: Trends,
): [name: string, value: string, note: string][] {
  const { total, customers, repeatCustomers, quality } = data;
  if (!total) return [];
  const week = trends.lastWeek;
  return [
    ["Revenue", formatCompactRoubles(total.amountCents, 4), formatRoubles(total.amountCents)],
    ["Sales", formatCount(total.sales), `of ${formatCount(quality.raw)} raw rows`],
    ["Average check", formatRoubles(total.averageCents), `${formatCount(total.quantity)} units sold`],
    ["Customers", formatCount(customers), `${formatShare(repeatCustomers, customers)} bought again`],
    ...(week
      ? [[
        "Last 7 days",
        formatCompactRoubles(week.amountCents),
        week.previousCents === undefined
          ? `${formatCount(week.sales)} sales`
          : `${formatChange(week.amountCents, week.previousCents)} on the week before`,
      ] as [string, string, string]]
      : []),
  ];
}
