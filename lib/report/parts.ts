/** Small pieces that several sections use. */
import { divideHalfUp } from "../domain/money.ts";
import { REGIONS } from "../domain/sale.ts";
import { amount, count, shortRoubles } from "./format.ts";
import { type Child, type Html, html } from "./html.ts";

/** A column of a table. */
export interface Column<Row> {
  head: Child;
  /** Figures stand to the right. */
  number?: boolean;
  /** Its cells name their rows. */
  row?: boolean;
  /** Drops out on phones, where a neighbour says nearly the same. */
  extra?: boolean;
  cell: (row: Row, index: number) => Child;
}

function classes({ number, extra }: { number?: boolean; extra?: boolean }): Html | undefined {
  const names = [number && "number", extra && "extra"].filter(Boolean).join(" ");
  return names
    ? html`
      class="${names}"
    `
    : undefined;
}

/** A table that scrolls inside its own box where the screen is narrow. */
export function table<Row>(
  caption: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  foot: readonly Child[] = [],
): Html {
  return html`
    <div class="box" role="group" aria-label="${caption}" tabindex="0">
      <table>
        <caption>${caption}</caption>
        <thead><tr>${columns.map((column) =>
          html`
            <th scope="col" ${classes(column)}>${column.head}</th>
          `
        )}</tr></thead>
        <tbody>${rows.map((row, index) =>
          html`
            <tr>${columns.map((column) => {
              const cell = column.cell(row, index);
              return column.row
                ? html`
                  <th scope="row" ${classes(column)}>${cell}</th>
                `
                : html`<td${classes(column)}>${cell}</td>`;
            })}</tr>
          `
        )}</tbody>${foot.length > 0 && html`
          <tfoot>
            <tr>${foot.map((cell, place) =>
              columns[place]!.row
                ? html`<th scope="row">${cell}</th>`
                : html`<td${classes(columns[place]!)}>${cell}</td>`
            )}</tr>
          </tfoot>
        `}</table>
    </div>
  `;
}

/** A bar for a table's cell: `part` of `whole`, both of them counts or cents. */
export function bar(part: bigint, whole: bigint, kind = "accent"): Html {
  const width = whole === 0n ? 0 : Number(part * 10_000n / whole) / 100;
  return html`
    <svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
      <rect class="track" width="100" height="8" />
      <rect class="fill ${kind}" width="${width}" height="8" />
    </svg>
  `;
}

/** An amount to the kopeck, and in short on phones: in millions and the like, or as told by `brief`. */
export function money(cents: bigint, brief = shortRoubles(cents)): Html {
  return html`<span class="full">${amount(cents)}</span><span class="brief">${brief}</span>`;
}

/** An average to the kopeck, and to the rouble on phones. */
export function average(cents: bigint): Html {
  return money(cents, `₽${count(divideHalfUp(cents, 100n))}`);
}

/** The head of a column of {@linkcode money}. */
export function moneyHead(name: string): Html {
  return html`${name}<span class="full">, ₽</span>`;
}

/** The class that gives a region its colour. */
export function regionClass(region: string): string {
  return (REGIONS as readonly string[]).includes(region) ? region.toLowerCase() : "accent";
}

/** A region with the mark of its colour. */
export function regionName(region: string): Html {
  return html`<span class="region"><span class="mark ${
    regionClass(region)
  }" aria-hidden="true"></span>${region}</span>`;
}

/** A chart or table with its title and a line that says what to see in it. */
export function figure(title: string, note: Child, content: Child): Html {
  return html`
    <figure><figcaption><h3>${title}</h3><p>${note}</p></figcaption>${content}</figure>
  `;
}
