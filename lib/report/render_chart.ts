/**
 * Renders charts as inline SVG with ECharts, without a browser. Colours are CSS variables of the page, so that one SVG
 * suits light mode, dark mode and print. Each chart is rendered twice, for wide screens and for phones.
 */
import { BarChart, LineChart } from "echarts/charts";
import { GridComponent, MarkLineComponent } from "echarts/components";
import { type EChartsCoreOption, init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { REGIONS } from "../domain/sale.ts";
import { escapeHtml, type Html, html, trustedHtml } from "./html.ts";

use([BarChart, LineChart, GridComponent, MarkLineComponent, SVGRenderer]);

/** Width and height in SVG units, which are CSS pixels at natural size. */
export interface Size {
  /** Width. */
  width: number;
  /** Height. */
  height: number;
}

/** A chart to render. */
export interface Chart {
  /** Element id, unique in the page. */
  id: string;
  /** Text alternative for screen readers. */
  label: string;
  /** Size on wide screens and in print. */
  wide: Size;
  /** Size on phones. */
  narrow: Size;
  /** Returns the ECharts option. */
  option(narrow: boolean): EChartsCoreOption;
  /** Returns the tooltip of the mark `index` of a series. */
  tooltip?: (series: number, index: number) => string | undefined;
}

/** Width of charts for phones: 360 CSS pixels minus the margins of the page. */
export const NARROW_WIDTH = 328;
/** Font size of all text in charts, in SVG units. */
export const FONT_SIZE = 12;

/** Returns a colour of page.css by its name. */
export function cssColour(name: string): string {
  return `var(--${name})`;
}

/** Returns the colour of a region; the accent colour for an unknown one. */
export function regionColour(region: string): string {
  return cssColour((REGIONS as readonly string[]).includes(region) ? region.toLowerCase() : "accent");
}

/** Style of all axes. */
export const AXIS_STYLE = {
  axisLine: { lineStyle: { color: cssColour("rule") } },
  axisTick: { show: false },
  axisLabel: { color: cssColour("soft"), fontSize: FONT_SIZE, hideOverlap: true },
  splitLine: { lineStyle: { color: cssColour("rule"), width: 1 } },
} as const;

/** Style properties that ECharts sets on text, and the equivalent attributes. The font family comes from the page. */
const TEXT_ATTRIBUTES: Record<string, string | undefined> = {
  "font-size": "font-size",
  "font-weight": "font-weight",
  "font-family": undefined,
};

/** Converts a style attribute to plain attributes, because the page's Content-Security-Policy forbids inline styles. */
function styleToAttributes(style: string): string {
  return style.split(";").filter(Boolean).map((declaration) => {
    const [name, value] = declaration.split(":", 2) as [string, string];
    if (!(name in TEXT_ATTRIBUTES)) {
      throw new Error(`Cannot convert the style ${declaration} of a chart to an attribute`);
    }
    const attribute = TEXT_ATTRIBUTES[name];
    return attribute === undefined ? "" : ` ${attribute}="${value}"`;
  }).join("");
}

/** Adds the tooltip to a mark. Skips paths without a fill: they have the metadata of a mark, but no area to hover over. */
function addTooltip(path: string, attributes: string, tooltip: Chart["tooltip"]): string {
  const series = /ecmeta_series_index="(\d+)"/.exec(attributes);
  const index = /ecmeta_data_index="(\d+)"/.exec(attributes);
  const mark = series && index && !attributes.includes('fill="none"');
  const text = mark ? tooltip?.(Number(series[1]), Number(index[1])) : undefined;
  const cleaned = path.replace(/ ecmeta_\w+="[^"]*"/g, "");
  if (text === undefined) return cleaned;
  return `${cleaned.slice(0, -"</path>".length)}<title>${escapeHtml(text)}</title></path>`;
}

/** Removes the styles and script metadata from the SVG of ECharts, and makes its ids unique in the page. */
function cleanSvg(svg: string, { id, label, tooltip }: Chart, kind: "wide" | "narrow"): string {
  return svg
    .replace(/<style[\s\S]*?<\/style>\s*/g, "")
    .replace(
      /^<svg[^>]*?(viewBox="[^"]*")[^>]*>\n?(<rect[^>]*><\/rect>\n?)?/,
      (_, viewBox: string) =>
        `<svg ${viewBox} class="${kind}" role="img" aria-label="${escapeHtml(label)}">\n`,
    )
    .replace(/zr\d+-/g, `${id}-${kind}-`)
    .replace(/ (?:class|pointer-events)="(?!wide|narrow)[^"]*"/g, "")
    .replace(/ style="([^"]*)"/g, (_, style: string) => styleToAttributes(style))
    .replace(/<path([^>]*)><\/path>/g, (path, attributes: string) => addTooltip(path, attributes, tooltip));
}

/** Renders a chart for wide screens and for phones; page.css shows one of the two. */
export function renderChart(chart: Chart): Html {
  const images = (["wide", "narrow"] as const).map((kind) => {
    const instance = init(null, null, { renderer: "svg", ssr: true, ...chart[kind] });
    try {
      instance.setOption({
        animation: false,
        textStyle: { fontSize: FONT_SIZE },
        ...chart.option(kind === "narrow"),
      });
      return trustedHtml(cleanSvg(instance.renderToSVGString(), chart, kind));
    } finally {
      instance.dispose();
    }
  });
  return html`<div class="chart" id="${chart.id}">${images}</div>`;
}
