/** The section that compares the regions. */
import { renderChart } from "./render_chart.ts";
import { sharesChart } from "./charts.ts";
import type { CategoryRegion, Region, ReportData } from "./report_data.ts";
import { formatChange, formatCount, formatMillionths, formatShare } from "./format.ts";
import { type Html, html } from "./html.ts";
import {
  regionClass,
  renderAverage,
  renderBar,
  renderFigure,
  renderMoney,
  renderMoneyHeader,
  renderRegion,
  renderTable,
} from "./components.ts";
import { productName } from "./labels.ts";

/** Rows of the category table. If there are more categories, the last row is the sum of the others. */
const MAX_CATEGORIES = 12;

function renderRegionTable({ regions, total }: ReportData): Html {
  const most = regions[0]!.amountCents;
  return renderTable<Region>(
    "Regions, highest revenue first",
    [
      { header: "Region", rowHeader: true, cell: ({ region }) => renderRegion(region) },
      { header: "Sales", numeric: true, cell: ({ sales }) => formatCount(sales) },
      { header: "Units", numeric: true, wideOnly: true, cell: ({ quantity }) => formatCount(quantity) },
      {
        header: renderMoneyHeader("Revenue"),
        numeric: true,
        cell: ({ amountCents }) => renderMoney(amountCents),
      },
      {
        header: renderMoneyHeader("Average check"),
        numeric: true,
        cell: ({ averageCents }) => renderAverage(averageCents),
      },
      {
        header: "vs average",
        numeric: true,
        wideOnly: true,
        cell: ({ averageCents }) => formatChange(averageCents, total!.averageCents),
      },
      { header: "Share", numeric: true, cell: (region) => formatMillionths(region.share) },
      {
        header: "",
        wideOnly: true,
        cell: ({ region, amountCents }) => renderBar(amountCents, most, regionClass(region)),
      },
    ],
    regions,
    [
      "All",
      formatCount(total!.sales),
      formatCount(total!.quantity),
      renderMoney(total!.amountCents),
      renderAverage(total!.averageCents),
      "",
      "100.0%",
      "",
    ],
  );
}

interface CategoryRow {
  name: string;
  amountCents: bigint;
  byRegion: Map<string, bigint>;
}

function groupByCategory(cells: readonly CategoryRegion[]): CategoryRow[] {
  const rows = new Map<string, CategoryRow>();
  for (const { category, region, amountCents } of cells) {
    const name = category ?? "Without a category";
    const row = rows.get(name) ?? { name, amountCents: 0n, byRegion: new Map<string, bigint>() };
    row.amountCents += amountCents;
    row.byRegion.set(region, (row.byRegion.get(region) ?? 0n) + amountCents);
    rows.set(name, row);
  }
  const sorted = [...rows.values()].sort((a, b) =>
    a.amountCents === b.amountCents ? (a.name < b.name ? -1 : 1) : a.amountCents > b.amountCents ? -1 : 1
  );
  if (sorted.length <= MAX_CATEGORIES) return sorted;
  const others: CategoryRow = {
    name: `${sorted.length - MAX_CATEGORIES + 1} other categories`,
    amountCents: 0n,
    byRegion: new Map(),
  };
  for (const { amountCents, byRegion } of sorted.splice(MAX_CATEGORIES - 1)) {
    others.amountCents += amountCents;
    for (const [region, cents] of byRegion) {
      others.byRegion.set(region, (others.byRegion.get(region) ?? 0n) + cents);
    }
  }
  return [...sorted, others];
}

/** Returns the CSS class for the ratio of a share to the share in the whole shop. Differences below 5% have none. */
function heatClass(part: bigint, whole: bigint, shopPart: bigint, shopWhole: bigint): string {
  // (part / whole) / (shopPart / shopWhole), in percent.
  const ratio = whole === 0n || shopPart === 0n ? 100n : 100n * part * shopWhole / (whole * shopPart);
  if (ratio >= 130n) return "heat more-3";
  if (ratio >= 115n) return "heat more-2";
  if (ratio >= 105n) return "heat more-1";
  if (ratio <= 70n) return "heat less-3";
  if (ratio <= 85n) return "heat less-2";
  return ratio <= 95n ? "heat less-1" : "heat";
}

function renderCategoryTable({ categories, regions, total }: ReportData): Html {
  return renderTable<CategoryRow>("Share of each category in a region’s revenue", [
    { header: "Category", rowHeader: true, cell: ({ name }) => name },
    {
      header: html`<span class="heat">All</span>`,
      numeric: true,
      wideOnly: true,
      cell: ({ amountCents }) =>
        html`<span class="heat">${formatShare(amountCents, total!.amountCents)}</span>`,
    },
    ...regions.map(({ region, amountCents: whole }) => ({
      header: html`<span class="heat">${renderRegion(region)}</span>`,
      numeric: true,
      cell: (row: CategoryRow) => {
        const part = row.byRegion.get(region) ?? 0n;
        return html`<span class="${heatClass(part, whole, row.amountCents, total!.amountCents)}">${
          formatShare(part, whole)
        }</span>`;
      },
    })),
  ], groupByCategory(categories));
}

function renderFavourites({ favourites, regions }: ReportData): Html {
  return html`<div class="cards">${
    regions.map(({ region }) => {
      const own = favourites.filter((favourite) => favourite.region === region);
      return html`
        <div class="card"><h4>${renderRegion(region)}</h4>${own.length === 0
          ? html`<p>Buys like the other regions.</p>`
          : html`<ol>${
            own.map((favourite) =>
              html`<li><span>${productName(favourite)}${
                favourite.category !== undefined && html`
                  <small>${favourite.category}</small>
                `
              }</span> <b>${favourite.lift}×</b></li>`
            )
          }</ol>`}</div>
      `;
    })
  }</div>`;
}

/** Renders the comparison of the regions. */
export function renderRegionSection(data: ReportData): Html {
  const { categories, favourites, regions } = data;
  return html`
    <section id="regions"><h2>Regions</h2>
        ${renderFigure(
          "Revenue by region",
          "Number of sales, units, revenue, average check and share of the total.",
          [
            renderChart(sharesChart(regions)),
            renderRegionTable(data),
          ],
        )}
        ${categories.some(({ category }) => category !== undefined) &&
          renderFigure(
            "What each region buys",
            html`
              Share of each category in the region’s revenue. <span class="heat more-2">More</span> or <span
                class="heat less-2">less</span> than the shop as a whole.
            `,
            renderCategoryTable(data),
          )}
        ${regions.length > 1 && favourites.length > 0 &&
          renderFigure(
            "Favourites",
            "Among a region’s leading products, those it buys more of than the shop as a whole, and how many times more.",
            renderFavourites(data),
          )}
      </section>
  `;
}
