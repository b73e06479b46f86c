/** HTML components shared by the sections. */
import { divideHalfUp } from "../domain/money.ts";
import { REGIONS } from "../domain/sale.ts";
import { formatAmount, formatCompactRoubles, formatCount } from "./format.ts";
import { type Child, type Html, html } from "./html.ts";

/** A column of a table. */
export interface Column<Row> {
  /** Its header cell. */
  header: Child;
  /** Aligns the cells to the right. */
  numeric?: boolean;
  /** Makes the cells row headers. */
  rowHeader?: boolean;
  /** Hides the column on phones. For data that is nearly redundant. */
  wideOnly?: boolean;
  /** Returns the content of its cell in a row. */
  cell: (row: Row, index: number) => Child;
}

function classAttribute({ numeric, wideOnly }: { numeric?: boolean; wideOnly?: boolean }): Html | undefined {
  const names = [numeric && "number", wideOnly && "extra"].filter(Boolean).join(" ");
  return names
    ? html`
      class="${names}"
    `
    : undefined;
}

/** Renders a table in a box that scrolls on narrow screens. */
export function renderTable<Row>(
  caption: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  footer: readonly Child[] = [],
): Html {
  return html`
    <div class="box" role="group" aria-label="${caption}" tabindex="0">
      <table>
        <caption>${caption}</caption>
        <thead><tr>${columns.map((column) =>
          html`
            <th scope="col" ${classAttribute(column)}>${column.header}</th>
          `
        )}</tr></thead>
        <tbody>${rows.map((row, index) =>
          html`
            <tr>${columns.map((column) => {
              const cell = column.cell(row, index);
              return column.rowHeader
                ? html`
                  <th scope="row" ${classAttribute(column)}>${cell}</th>
                `
                : html`<td${classAttribute(column)}>${cell}</td>`;
            })}</tr>
          `
        )}</tbody>${footer.length > 0 && html`
          <tfoot>
            <tr>${footer.map((cell, index) =>
              columns[index]!.rowHeader
                ? html`<th scope="row">${cell}</th>`
                : html`<td${classAttribute(columns[index]!)}>${cell}</td>`
            )}</tr>
          </tfoot>
        `}</table>
    </div>
  `;
}

/** Renders a bar for a table cell: `part` of `whole`, in any common unit. */
export function renderBar(part: bigint, whole: bigint, kind = "accent"): Html {
  const width = whole === 0n ? 0 : Number(part * 10_000n / whole) / 100;
  return html`
    <svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
      <rect class="track" width="100" height="8" />
      <rect class="fill ${kind}" width="${width}" height="8" />
    </svg>
  `;
}

/** Renders an amount to the kopeck, and `brief` in its place on phones. */
export function renderMoney(cents: bigint, brief = formatCompactRoubles(cents)): Html {
  return html`<span class="full">${formatAmount(cents)}</span><span class="brief">${brief}</span>`;
}

/** Renders an average to the kopeck, and to the rouble on phones. */
export function renderAverage(cents: bigint): Html {
  return renderMoney(cents, `₽${formatCount(divideHalfUp(cents, 100n))}`);
}

/** Renders the header of a column of {@linkcode renderMoney}. */
export function renderMoneyHeader(name: string): Html {
  return html`${name}<span class="full">, ₽</span>`;
}

/** Returns the CSS class with the colour of a region; `accent` for an unknown one. */
export function regionClass(region: string): string {
  return (REGIONS as readonly string[]).includes(region) ? region.toLowerCase() : "accent";
}

/** Renders the name of a region with a mark in its colour. */
export function renderRegion(region: string): Html {
  return html`<span class="region"><span class="mark ${
    regionClass(region)
  }" aria-hidden="true"></span>${region}</span>`;
}

/** Renders a chart or table with its title and a note. */
export function renderFigure(title: string, note: Child, content: Child): Html {
  return html`
    <figure><figcaption><h3>${title}</h3><p>${note}</p></figcaption>${content}</figure>
  `;
}
