import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type Chart, cssColour, regionColour, renderChart } from "../../../lib/report/render_chart.ts";

const CHART: Chart = {
  id: "chart-test",
  label: `Sales of "A" & B`,
  wide: { width: 400, height: 200 },
  narrow: { width: 300, height: 150 },
  option: (narrow) => ({
    xAxis: { type: "category", data: ["A", "B"] },
    yAxis: { type: "value" },
    series: [{
      type: "bar",
      silent: true,
      data: [1, narrow ? 2 : 3],
      label: { show: true, fontWeight: 600, formatter: "<b>" },
      itemStyle: { color: cssColour("accent") },
    }],
  }),
  tooltip: (series, index) => index === 0 ? `<${series}, ${index}>` : undefined,
};

describe("renderChart()", () => {
  const markup = renderChart(CHART).toString();

  it("contains one SVG for wide screens and one for phones, each with the label", () => {
    assertEquals(
      [...markup.matchAll(/<svg viewBox="0 0 (\d+) (\d+)" class="(\w+)"/g)].map((m) => m.slice(1)),
      [
        ["400", "200", "wide"],
        ["300", "150", "narrow"],
      ],
    );
    assertEquals(
      markup.match(/role="img" aria-label="Sales of &quot;A&quot; &amp; B"/g)?.length,
      2,
    );
  });

  it("contains no style, no class but the two of the SVGs, and no metadata of ECharts", () => {
    assertEquals(/<style|\sstyle=|ecmeta|pointer-events|zr\d/.test(markup), false);
    assertEquals(markup.match(/ class="[^"]*"/g), [' class="chart"', ' class="wide"', ' class="narrow"']);
  });

  it("contains text styles as attributes", () => {
    assertMatch(markup, /<text[^>]* font-size="12px"/);
    assertMatch(markup, /<text[^>]* font-weight="600"/);
  });

  it("escapes text and tooltips, and adds tooltips only to marks that have one", () => {
    assertEquals(markup.match(/<title>[^<]*<\/title>/g), Array(2).fill("<title>&lt;0, 0&gt;</title>"));
    assertStringIncludes(markup, "&lt;b&gt;");
  });

  it("returns equal markup when it renders the chart again", () => {
    assertEquals(renderChart(CHART).toString(), markup);
  });
});

describe("regionColour()", () => {
  it("returns the variable of a known region, and the accent for any other", () => {
    assertEquals(["North", "Centre"].map(regionColour), ["var(--north)", "var(--accent)"]);
  });
});
