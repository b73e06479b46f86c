/** The report as one page: no scripts, nothing from the network, and a policy that forbids both. */
import { createHash } from "node:crypto";
import type { Figures } from "./figures.ts";
import { longDay } from "./format.ts";
import { type Html, html, trusted } from "./html.ts";
import css from "./page.css" with { type: "text" };
import { qualitySection, runSection } from "./run_sections.ts";
import { type Seasons, seasons } from "./seasons.ts";
import { productSection, regionSection, timeSection } from "./sections.ts";
import { verdict } from "./verification.ts";
import { headlines, story } from "./words.ts";

/** A small bar chart. */
const ICON = "data:image/svg+xml," + encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path fill="#2b6cb0" d="M1 9h4v6H1zM6 5h4v10H6zM11 1h4v14h-4z"/></svg>',
);

/** With the line ends that a browser sees: its hash is taken after them. */
const STYLE = css.replaceAll("\r\n", "\n");

/** Only the page's own style, by its hash, and its own icon. */
function policy(): string {
  const hash = createHash("sha256").update(STYLE).digest("base64");
  return `default-src 'none'; style-src 'sha256-${hash}'; img-src data:; base-uri 'none'; form-action 'none'`;
}

function range({ from, to }: Seasons): string {
  return from === to ? longDay(from) : `${longDay(from)}\u00a0– ${longDay(to)}`;
}

function masthead(figures: Figures, year: Seasons | undefined): Html {
  const sections = year ? [["time", "Time"], ["regions", "Regions"], ["products", "Products"]] : [];
  return html`
    <header>
        <div class="over"><p>Sales report, run ${figures.run.runId} ${verdict(figures.stages)}</p>
        <nav aria-label="Sections">${[...sections, ["quality", "Data quality"], ["run", "The run"]].map((
          [id, name],
        ) =>
          html`
            <a href="#${id}">${name}</a>
          `
        )}</nav></div>
        <h1>${year ? range(year) : "No sales"}</h1>
        ${year ? story(figures, year) : html`
          <div class="story">
            <p>No row of this run passed the rules: see the data quality below.</p>
          </div>
        `}
        ${year && html`<dl class="headlines">${
          headlines(figures, year).map(([name, value, note]) =>
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

/** The whole file. The same figures give the same text. */
export function page(figures: Figures): string {
  const year = figures.days.length > 0 ? seasons(figures.days) : undefined;
  const title = `Sales report ${year ? range(year) : figures.run.runId}`;
  return html`
    <!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta http-equiv="Content-Security-Policy" content="${policy()}">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <meta name="generator" content="salesflow">
        <title>${title}</title>
        <link rel="icon" href="${ICON}">
        <style>${trusted(STYLE)}</style>
      </head>
      <body>
    <a class="skip" href="#content">To the figures</a>
    ${masthead(figures, year)}
    <main id="content">
    ${year && [timeSection(figures, year), regionSection(figures), productSection(figures)]}
    ${qualitySection(figures)}
    ${runSection(figures)}
    </main>
    <footer><p>Amounts are exact to the kopeck; shares are rounded half up. Days are those of Europe/Moscow.
      Sales from <code>shop.sales</code>, sums from <code>shop.sales_aggregates</code>.</p></footer>
      </body>
    </html>
  `.toString().trim() + "\n";
}
