/** The page of the report: no scripts, no network requests, and a Content-Security-Policy that forbids both. */
import { createHash } from "node:crypto";
import type { ReportData } from "./report_data.ts";
import { withCurrency } from "./currency.ts";
import { formatLongDate } from "./format.ts";
import { type Html, html, trustedHtml } from "./html.ts";
import css from "./page.css" with { type: "text" };
import { renderQualitySection, renderRunSection } from "./run_sections.ts";
import { computeTrends, type Trends } from "./trends.ts";
import { renderProductSection } from "./product_section.ts";
import { renderRegionSection } from "./region_section.ts";
import { renderTimeSection } from "./time_section.ts";
import { renderVerdict } from "./verification.ts";
import { headlineMetrics, renderNarrative } from "./narrative.ts";

/** Favicon: a small bar chart. */
const ICON = "data:image/svg+xml," + encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path fill="#2b6cb0" d="M1 9h4v6H1zM6 5h4v10H6zM11 1h4v14h-4z"/></svg>',
);

/** Browsers normalize line endings before they compute the hash for the policy. */
const STYLE = css.replaceAll("\r\n", "\n");

/** Allows only the inline style, by its hash, and the icon. */
function contentSecurityPolicy(): string {
  const hash = createHash("sha256").update(STYLE).digest("base64");
  return `default-src 'none'; style-src 'sha256-${hash}'; img-src data:; base-uri 'none'; form-action 'none'`;
}

function formatDateRange({ from, to }: Trends): string {
  return from === to ? formatLongDate(from) : `${formatLongDate(from)}\u00a0– ${formatLongDate(to)}`;
}

function renderHeader(data: ReportData, trends: Trends | undefined): Html {
  const sections = trends ? [["time", "Time"], ["regions", "Regions"], ["products", "Products"]] : [];
  return html`
    <header>
        <div class="over"><p>Sales report, run ${data.run.runId} ${renderVerdict(data.stages)}</p>
        <nav aria-label="Sections">${[...sections, ["quality", "Data quality"], ["run", "The run"]].map((
          [id, name],
        ) =>
          html`
            <a href="#${id}">${name}</a>
          `
        )}</nav></div>
        <h1>${trends ? formatDateRange(trends) : "No sales"}</h1>
        ${trends ? renderNarrative(data, trends) : html`
          <div class="story">
            <p>No row of this run passed validation: see the data quality below.</p>
          </div>
        `}
        ${trends &&
          html`<dl class="headlines">${
            headlineMetrics(data, trends).map(([name, value, note]) =>
              html`
                <div>
                  <dt>${name}</dt>
                  <dd><b>${value}</b><small>${note}</small></dd>
                </div>
              `
            )
          }</dl>`}
      </header>
  `;
}

/** Renders the whole page. Equal data gives equal output. */
export function renderPage(data: ReportData): string {
  const trends = data.days.length > 0 ? computeTrends(data.days) : undefined;
  const title = `Sales report ${trends ? formatDateRange(trends) : data.run.runId}`;
  const page = html`
    <!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta http-equiv="Content-Security-Policy" content="${contentSecurityPolicy()}">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <meta name="generator" content="salesflow">
        <title>${title}</title>
        <link rel="icon" href="${ICON}">
        <style>${trustedHtml(STYLE)}</style>
      </head>
      <body>
    <a class="skip" href="#content">Skip to content</a>
    ${renderHeader(data, trends)}
    <main id="content">
    ${trends && [renderTimeSection(data, trends), renderRegionSection(data), renderProductSection(data)]}
    ${renderQualitySection(data)}
    ${renderRunSection(data)}
    </main>
    <footer><p>Amounts are exact; shares are rounded half up. Dates are in the Europe/Moscow time zone.
      Sales from <code>shop.sales</code>, sums from <code>shop.sales_aggregates</code>.</p></footer>
      </body>
    </html>
  `.toString().trim() + "\n";
  return withCurrency(page, data.run.currency);
}
