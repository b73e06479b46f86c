/** The section about sales over time. */
import { renderChart } from "./render_chart.ts";
import { lineChart, monthsChart, weekdaysChart } from "./charts.ts";
import type { Region, ReportData } from "./report_data.ts";
import { formatAmount, formatCompactRoubles, formatCount, formatLongDate } from "./format.ts";
import { type Html, html } from "./html.ts";
import { renderFigure, renderRegion, renderTable } from "./components.ts";
import { dailyAverage, type Period, type Trends } from "./trends.ts";

/** Minimum span, in days, with a heading that calls it a year. */
const MIN_YEAR_DAYS = 300;

function renderLegend(regions: readonly Region[]): Html {
  return html`<ul class="legend" aria-hidden="true">${
    regions.map(({ region }) => html`<li>${renderRegion(region)}</li>`)
  }</ul>`;
}

function renderPeriodTable(caption: string, periods: readonly Period[], regions: readonly Region[]): Html {
  return html`<details><summary>Data of this chart</summary>${
    renderTable<Period>(caption, [
      { header: "Period", rowHeader: true, cell: ({ label }) => label },
      { header: "Days", numeric: true, cell: ({ days }) => formatCount(days) },
      { header: "Sales", numeric: true, cell: ({ sales }) => formatCount(sales) },
      { header: "Revenue, ₽", numeric: true, cell: ({ amountCents }) => formatAmount(amountCents) },
      { header: "Per day, ₽", numeric: true, cell: (period) => formatAmount(dailyAverage(period)) },
      ...regions.map(({ region }) => ({
        header: `${region}, ₽`,
        numeric: true,
        cell: ({ byRegion }: Period) => formatAmount(byRegion.get(region) ?? 0n),
      })),
    ], periods)
  }</details>`;
}

/** Renders sales over time, by month and by weekday. */
export function renderTimeSection({ regions }: ReportData, trends: Trends): Html {
  const { unit, spanDays, bestDay, months, weekdays } = trends;
  const heading = unit !== "day"
    ? "Through the years"
    : spanDays >= MIN_YEAR_DAYS
    ? "Through the year"
    : "Day by day";
  const note = html`${
    unit === "day"
      ? "Thin line: each day. Bold line: seven-day average."
      : `Average daily revenue by ${unit}.`
  }
    The best day was ${formatLongDate(bestDay.date)}: ${formatCompactRoubles(bestDay.amountCents)} from ${
    formatCount(bestDay.sales)
  } sales.`;
  return html`
    <section id="time"><h2>${heading}</h2>
        ${renderFigure("Revenue over time", note, renderChart(lineChart(trends)))}
        <div class="pair">
        ${renderFigure(
          "Seasonality",
          "Average daily revenue by month and region, so that months of different lengths are comparable.",
          [
            renderChart(monthsChart(trends, regions)),
            renderLegend(regions),
            renderPeriodTable("Revenue by month", months, regions),
          ],
        )}
        ${renderFigure(
          "Weekday",
          "Average daily revenue, and its deviation from the overall daily average (dashed).",
          [renderChart(weekdaysChart(trends)), renderPeriodTable("Revenue by weekday", weekdays, regions)],
        )}
        </div></section>
  `;
}
