/** The section about products: best sellers and concentration. */
import { renderChart } from "./render_chart.ts";
import { curveChart } from "./charts.ts";
import type { Product, ReportData } from "./report_data.ts";
import { formatAmount, formatCount, formatMillionths, formatShare } from "./format.ts";
import { type Html, html } from "./html.ts";
import { renderBar, renderFigure, renderMoney, renderMoneyHeader, renderTable } from "./components.ts";
import { productName } from "./labels.ts";

/** Renders the best sellers and the concentration of revenue. */
export function renderProductSection({ products, curve, concentration }: ReportData): Html {
  const most = products[0]!.amountCents;
  const catalogue = products.some(({ name }) => name !== undefined);
  const { products: all, half, fourFifths, nearlyAll } = concentration;
  return html`
    <section id="products"><h2>Products</h2>
        ${renderFigure(
          "Best sellers",
          html`The ${formatCount(products.length)} products with the highest revenue, of ${
            formatCount(all)
          }.${!catalogue && " This run has no catalogue, so products are listed by number."}`,
          renderTable<Product>("Products, highest revenue first", [
            { header: "#", numeric: true, cell: (_, index) => index + 1 },
            {
              header: "Product",
              rowHeader: true,
              cell: (product) =>
                html`${productName(product)}${
                  product.category !== undefined && html`
                    <small class="brief">${product.category}</small>
                  `
                }`,
            },
            ...(catalogue
              ? [{ header: "Category", wideOnly: true, cell: ({ category }: Product) => category ?? "" }]
              : []),
            { header: "Sales", numeric: true, cell: ({ sales }) => formatCount(sales) },
            { header: "Units", numeric: true, wideOnly: true, cell: ({ quantity }) => formatCount(quantity) },
            {
              header: renderMoneyHeader("Revenue"),
              numeric: true,
              cell: ({ amountCents }) => renderMoney(amountCents),
            },
            {
              header: "Average check, ₽",
              numeric: true,
              wideOnly: true,
              cell: ({ averageCents }) => formatAmount(averageCents),
            },
            { header: "Share", numeric: true, cell: (product) => formatMillionths(product.share) },
            {
              header: "Cumulative",
              numeric: true,
              wideOnly: true,
              cell: ({ cumulativeShare }) => formatMillionths(cumulativeShare),
            },
            { header: "", wideOnly: true, cell: ({ amountCents }) => renderBar(amountCents, most) },
          ], products),
        )}
        ${renderFigure(
          "Concentration of revenue",
          "Cumulative share of revenue, from the best to the slowest seller. On the dashed diagonal, all products would sell equally.",
          html`<div class="pair">${renderChart(curveChart(curve, concentration))}
      <dl class="facts">
        <div><dt>Half of the revenue</dt><dd>${formatCount(half)} <small>${
            half === 1 ? "product" : "products"
          }, ${formatShare(BigInt(half), BigInt(all))} of all</small></dd></div>
        <div><dt>80% of the revenue</dt><dd>${formatCount(fourFifths)} <small>${
            fourFifths === 1 ? "product" : "products"
          }, ${formatShare(BigInt(fourFifths), BigInt(all))} of all</small></dd></div>
        <div><dt>95% of the revenue</dt><dd>${formatCount(nearlyAll)} <small>${
            nearlyAll === 1 ? "product" : "products"
          }, ${formatShare(BigInt(nearlyAll), BigInt(all))} of all</small></dd></div>
      </dl></div>`,
        )}
      </section>
  `;
}
