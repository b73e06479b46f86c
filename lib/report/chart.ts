/**
 * Charts as SVG inside the page, drawn by ECharts without a browser. Colours are the page's CSS variables, so that one
 * drawing serves light, dark and paper; every chart is drawn twice, for wide screens and for phones.
 */
import { BarChart, LineChart } from "echarts/charts";
import { GridComponent, MarkLineComponent } from "echarts/components";
import { type EChartsCoreOption, init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { REGIONS } from "../domain/sale.ts";
import { escape, type Html, html, trusted } from "./html.ts";

use([BarChart, LineChart, GridComponent, MarkLineComponent, SVGRenderer]);

/** Width and height in units of the drawing, which are CSS pixels at its natural size. */
export interface Size {
  width: number;
  height: number;
}

/** A chart to draw. */
export interface Chart {
  /** Unique in the page. */
  id: string;
  /** The chart in words, for those who do not see it. */
  label: string;
  wide: Size;
  narrow: Size;
  option(narrow: boolean): EChartsCoreOption;
  /** What a pointer sees over the mark `index` of the series. */
  tip?: (series: number, index: number) => string | undefined;
}

/** Drawn for a phone of 360 CSS pixels without the page's margins. */
export const NARROW_WIDTH = 328;
export const FONT_SIZE = 12;

/** A colour of the page by its name in page.css. */
export function colour(name: string): string {
  return `var(--${name})`;
}

/** The colour of a region; one that is not known gets the accent. */
export function regionColour(region: string): string {
  return colour((REGIONS as readonly string[]).includes(region) ? region.toLowerCase() : "accent");
}

/** How every axis looks. */
export const AXIS = {
  axisLine: { lineStyle: { color: colour("rule") } },
  axisTick: { show: false },
  axisLabel: { color: colour("soft"), fontSize: FONT_SIZE, hideOverlap: true },
  splitLine: { lineStyle: { color: colour("rule"), width: 1 } },
} as const;

/** Style properties that ECharts writes on text, and the attribute that says the same; fonts come from the page. */
const TEXT_ATTRIBUTES: Record<string, string | undefined> = {
  "font-size": "font-size",
  "font-weight": "font-weight",
  "font-family": undefined,
};

/** A style attribute as plain attributes: the page's security policy forbids the former. */
function plainStyle(style: string): string {
  return style.split(";").filter(Boolean).map((declaration) => {
    const [name, value] = declaration.split(":", 2) as [string, string];
    if (!(name in TEXT_ATTRIBUTES)) {
      throw new Error(`Cannot write the style ${declaration} of a chart as an attribute`);
    }
    const attribute = TEXT_ATTRIBUTES[name];
    return attribute === undefined ? "" : ` ${attribute}="${value}"`;
  }).join("");
}

/** Puts a mark's tip into it; lines across the chart carry the numbers of a mark, but have no area to point at. */
function withTip(path: string, attributes: string, tip: Chart["tip"]): string {
  const series = /ecmeta_series_index="(\d+)"/.exec(attributes);
  const index = /ecmeta_data_index="(\d+)"/.exec(attributes);
  const mark = series && index && !attributes.includes('fill="none"');
  const text = mark ? tip?.(Number(series[1]), Number(index[1])) : undefined;
  const bare = path.replace(/ ecmeta_\w+="[^"]*"/g, "");
  if (text === undefined) return bare;
  return `${bare.slice(0, -"</path>".length)}<title>${escape(text)}</title></path>`;
}

/** What ECharts drew, without its styles and hints for scripts, and with ids that no other chart of the page has. */
function tidy(svg: string, { id, label, tip }: Chart, kind: "wide" | "narrow"): string {
  return svg
    .replace(/<style[\s\S]*?<\/style>\s*/g, "")
    .replace(
      /^<svg[^>]*?(viewBox="[^"]*")[^>]*>\n?(<rect[^>]*><\/rect>\n?)?/,
      (_, viewBox: string) => `<svg ${viewBox} class="${kind}" role="img" aria-label="${escape(label)}">\n`,
    )
    .replace(/zr\d+-/g, `${id}-${kind}-`)
    .replace(/ (?:class|pointer-events)="(?!wide|narrow)[^"]*"/g, "")
    .replace(/ style="([^"]*)"/g, (_, style: string) => plainStyle(style))
    .replace(/<path([^>]*)><\/path>/g, (path, attributes: string) => withTip(path, attributes, tip));
}

/** Draws the chart for wide screens and for phones; page.css shows one of them. */
export function draw(chart: Chart): Html {
  const drawings = (["wide", "narrow"] as const).map((kind) => {
    const drawing = init(null, null, { renderer: "svg", ssr: true, ...chart[kind] });
    try {
      drawing.setOption({
        animation: false,
        textStyle: { fontSize: FONT_SIZE },
        ...chart.option(kind === "narrow"),
      });
      return trusted(tidy(drawing.renderToSVGString(), chart, kind));
    } finally {
      drawing.dispose();
    }
  });
  return html`<div class="chart" id="${chart.id}">${drawings}</div>`;
}
