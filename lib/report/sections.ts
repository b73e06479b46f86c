/** What the report says about the sales, section by section. */
import { draw } from "./chart.ts";
import { curveChart, lineChart, monthsChart, sharesChart, weekdaysChart } from "./charts.ts";
import type { CategoryRegion, Figures, Product, Region } from "./figures.ts";
import { amount, change, count, longDay, millionths, share, shortRoubles } from "./format.ts";
import { type Html, html } from "./html.ts";
import { average, bar, figure, money, moneyHead, regionClass, regionName, table } from "./parts.ts";
import { perDay, type Period, type Seasons } from "./seasons.ts";
import { productName } from "./words.ts";

/** Categories named in the comparison; the others are added up. */
const CATEGORIES = 12;

/** Days from which the whole is called a year. */
const MOST_OF_A_YEAR = 300;

function legend(regions: readonly Region[]): Html {
  return html`<ul class="legend" aria-hidden="true">${
    regions.map(({ region }) => html`<li>${regionName(region)}</li>`)
  }</ul>`;
}

function periodTable(caption: string, periods: readonly Period[], regions: readonly Region[]): Html {
  return html`<details><summary>The figures of this chart</summary>${
    table<Period>(caption, [
      { head: "When", row: true, cell: ({ label }) => label },
      { head: "Days", number: true, cell: ({ days }) => count(days) },
      { head: "Sales", number: true, cell: ({ sales }) => count(sales) },
      { head: "Revenue, ₽", number: true, cell: ({ amountCents }) => amount(amountCents) },
      { head: "A day, ₽", number: true, cell: (period) => amount(perDay(period)) },
      ...regions.map(({ region }) => ({
        head: `${region}, ₽`,
        number: true,
        cell: ({ byRegion }: Period) => amount(byRegion.get(region) ?? 0n),
      })),
    ], periods)
  }</details>`;
}

/** Sales over time, with season and weekday. */
export function timeSection({ regions }: Figures, year: Seasons): Html {
  const { unit, span, bestDay, months, weekdays } = year;
  const heading = unit !== "day"
    ? "Through the years"
    : span >= MOST_OF_A_YEAR
    ? "Through the year"
    : "Day by day";
  const note = html`${
    unit === "day"
      ? "Thin: each day. Bold: the average of seven days."
      : `Revenue of an average day of each ${unit}.`
  }
    The best day was ${longDay(bestDay.date)}: ${shortRoubles(bestDay.amountCents)} from ${
    count(bestDay.sales)
  } sales.`;
  return html`
    <section id="time"><h2>${heading}</h2>
        ${figure("Revenue over time", note, draw(lineChart(year)))}
        <div class="pair">
        ${figure(
          "Season",
          "Revenue of an average day of each month, by region: months of different length compare fairly.",
          [
            draw(monthsChart(year, regions)),
            legend(regions),
            periodTable("Revenue by month", months, regions),
          ],
        )}
        ${figure(
          "Weekday",
          "Revenue of an average day, and how far it is from the average of all days (dashed).",
          [draw(weekdaysChart(year)), periodTable("Revenue by weekday", weekdays, regions)],
        )}
        </div></section>
  `;
}

function regionTable({ regions, total }: Figures): Html {
  const most = regions[0]!.amountCents;
  return table<Region>(
    "Regions, highest revenue first",
    [
      { head: "Region", row: true, cell: ({ region }) => regionName(region) },
      { head: "Sales", number: true, cell: ({ sales }) => count(sales) },
      { head: "Units", number: true, extra: true, cell: ({ quantity }) => count(quantity) },
      { head: moneyHead("Revenue"), number: true, cell: ({ amountCents }) => money(amountCents) },
      { head: moneyHead("Average check"), number: true, cell: ({ averageCents }) => average(averageCents) },
      {
        head: "vs average",
        number: true,
        extra: true,
        cell: ({ averageCents }) => change(averageCents, total!.averageCents),
      },
      { head: "Share", number: true, cell: (region) => millionths(region.share) },
      {
        head: "",
        extra: true,
        cell: ({ region, amountCents }) => bar(amountCents, most, regionClass(region)),
      },
    ],
    regions,
    [
      "All",
      count(total!.sales),
      count(total!.quantity),
      money(total!.amountCents),
      average(total!.averageCents),
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

function categoryRows(cells: readonly CategoryRegion[]): CategoryRow[] {
  const rows = new Map<string, CategoryRow>();
  for (const { category, region, amountCents } of cells) {
    const name = category ?? "Not in the catalogue";
    const row = rows.get(name) ?? { name, amountCents: 0n, byRegion: new Map<string, bigint>() };
    row.amountCents += amountCents;
    row.byRegion.set(region, (row.byRegion.get(region) ?? 0n) + amountCents);
    rows.set(name, row);
  }
  const sorted = [...rows.values()].sort((a, b) =>
    a.amountCents === b.amountCents ? (a.name < b.name ? -1 : 1) : a.amountCents > b.amountCents ? -1 : 1
  );
  if (sorted.length <= CATEGORIES) return sorted;
  const others: CategoryRow = {
    name: `${sorted.length - CATEGORIES + 1} other categories`,
    amountCents: 0n,
    byRegion: new Map(),
  };
  for (const { amountCents, byRegion } of sorted.splice(CATEGORIES - 1)) {
    others.amountCents += amountCents;
    for (const [region, cents] of byRegion) {
      others.byRegion.set(region, (others.byRegion.get(region) ?? 0n) + cents);
    }
  }
  return [...sorted, others];
}

/** How strongly a share differs from the usual one, as a class: up to 5 % is nothing to speak of. */
function heat(part: bigint, of: bigint, usualPart: bigint, usualOf: bigint): string {
  // part / of : usualPart / usualOf, in per cent.
  const ratio = of === 0n || usualPart === 0n ? 100n : 100n * part * usualOf / (of * usualPart);
  if (ratio >= 130n) return "heat more-3";
  if (ratio >= 115n) return "heat more-2";
  if (ratio >= 105n) return "heat more-1";
  if (ratio <= 70n) return "heat less-3";
  if (ratio <= 85n) return "heat less-2";
  return ratio <= 95n ? "heat less-1" : "heat";
}

function tasteTable({ categories, regions, total }: Figures): Html {
  return table<CategoryRow>("Share of each category in a region’s revenue", [
    { head: "Category", row: true, cell: ({ name }) => name },
    {
      head: html`<span class="heat">All</span>`,
      number: true,
      extra: true,
      cell: ({ amountCents }) => html`<span class="heat">${share(amountCents, total!.amountCents)}</span>`,
    },
    ...regions.map(({ region, amountCents: whole }) => ({
      head: html`<span class="heat">${regionName(region)}</span>`,
      number: true,
      cell: (row: CategoryRow) => {
        const part = row.byRegion.get(region) ?? 0n;
        return html`<span class="${heat(part, whole, row.amountCents, total!.amountCents)}">${
          share(part, whole)
        }</span>`;
      },
    })),
  ], categoryRows(categories));
}

function favouriteLists({ favourites, regions }: Figures): Html {
  return html`<div class="cards">${
    regions.map(({ region }) => {
      const own = favourites.filter((favourite) => favourite.region === region);
      return html`
        <div class="card"><h4>${regionName(region)}</h4>${own.length === 0
          ? html`<p>Buys as the others do.</p>`
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

/** The regions compared. */
export function regionSection(figures: Figures): Html {
  const { categories, favourites, regions } = figures;
  return html`
    <section id="regions"><h2>Regions</h2>
        ${figure("Who brings the revenue", "Count of sales, sums, average check and share of the whole.", [
          draw(sharesChart(regions)),
          regionTable(figures),
        ])}
        ${categories.length > 0 &&
          figure(
            "What each region buys",
            html`
              Share of each category in the region’s revenue. <span class="heat more-2">More</span> or <span
                class="heat less-2">less</span> than the shop as a whole.
            `,
            tasteTable(figures),
          )}
        ${regions.length > 1 && favourites.length > 0 &&
          figure(
            "Favourites",
            "Among a region’s leading products, those it buys more of than the shop as a whole, and how many times more.",
            favouriteLists(figures),
          )}
      </section>
  `;
}

/** The leading products, and how much depends on them. */
export function productSection({ products, curve, concentration }: Figures): Html {
  const most = products[0]!.amountCents;
  const catalogue = products.some(({ name }) => name !== undefined);
  const { products: all, half, fourFifths, nearlyAll } = concentration;
  return html`
    <section id="products"><h2>Products</h2>
        ${figure(
          "Best sellers",
          html`The ${count(products.length)} products with the highest revenue, of ${count(all)}.${
            !catalogue && " This run has no catalogue, so products go by their numbers."
          }`,
          table<Product>("Products, highest revenue first", [
            { head: "#", number: true, cell: (_, index) => index + 1 },
            {
              head: "Product",
              row: true,
              cell: (product) =>
                html`${productName(product)}${
                  product.category !== undefined && html`
                    <small class="brief">${product.category}</small>
                  `
                }`,
            },
            ...(catalogue
              ? [{ head: "Category", extra: true, cell: ({ category }: Product) => category ?? "" }]
              : []),
            { head: "Sales", number: true, cell: ({ sales }) => count(sales) },
            { head: "Units", number: true, extra: true, cell: ({ quantity }) => count(quantity) },
            { head: moneyHead("Revenue"), number: true, cell: ({ amountCents }) => money(amountCents) },
            {
              head: "Average check, ₽",
              number: true,
              extra: true,
              cell: ({ averageCents }) => amount(averageCents),
            },
            { head: "Share", number: true, cell: (product) => millionths(product.share) },
            {
              head: "Up to here",
              number: true,
              extra: true,
              cell: ({ cumulative }) => millionths(cumulative),
            },
            { head: "", extra: true, cell: ({ amountCents }) => bar(amountCents, most) },
          ], products),
        )}
        ${figure(
          "How much depends on few products",
          html`Products from best seller to slowest, and the share of revenue they bring together. On the dashed diagonal all would sell alike.`,
          html`<div class="pair">${draw(curveChart(curve, concentration))}
      <dl class="facts">
        <div><dt>Half of the revenue</dt><dd>${count(half)} <small>${half === 1 ? "product" : "products"}, ${
            share(BigInt(half), BigInt(all))
          } of all</small></dd></div>
        <div><dt>80% of the revenue</dt><dd>${count(fourFifths)} <small>${
            fourFifths === 1 ? "product" : "products"
          }, ${share(BigInt(fourFifths), BigInt(all))} of all</small></dd></div>
        <div><dt>95% of the revenue</dt><dd>${count(nearlyAll)} <small>${
            nearlyAll === 1 ? "product" : "products"
          }, ${share(BigInt(nearlyAll), BigInt(all))} of all</small></dd></div>
      </dl></div>`,
        )}
      </section>
  `;
}
