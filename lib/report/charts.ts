/** The charts of the report. Only here, amounts are converted to floats, as coordinates. */
import type { EChartsCoreOption } from "echarts/core";
import { AXIS_STYLE, type Chart, cssColour, FONT_SIZE, NARROW_WIDTH, regionColour } from "./render_chart.ts";
import type { Concentration, CurvePoint, Region } from "./report_data.ts";
import {
  formatChange,
  formatCompactRoubles,
  formatCount,
  formatLongDate,
  formatMillionths,
  formatRoubles,
} from "./format.ts";
import { bestPeriod, dailyAverage, movingAverages, type Period, type Trends } from "./trends.ts";

const WIDE = { width: 1040, height: 300 };
const HALF = { width: 500, height: 270 };
const NARROW = { width: NARROW_WIDTH, height: 230 };
const MAX_BAR_WIDTH = 44;
/** Month names that fit below a chart. */
const MAX_WIDE_MONTHS = 14;
const MAX_NARROW_MONTHS = 6;

/** Converts cents to roubles, as a coordinate. */
function toRoubles(cents: bigint): number {
  return Number(cents) / 100;
}

/** Formats the label of an axis tick. Ticks are round numbers, so the float is exact enough. */
function formatTick(value: number): string {
  return formatCompactRoubles(BigInt(Math.round(value * 100)));
}

function roublesAxis(splitNumber: number) {
  return {
    type: "value",
    splitNumber,
    ...AXIS_STYLE,
    axisLabel: { ...AXIS_STYLE.axisLabel, formatter: formatTick },
  };
}

const GRID = {
  left: 4,
  right: 12,
  top: 14,
  bottom: 4,
  outerBoundsMode: "same",
  outerBoundsContain: "axisLabel",
};

/**
 * The revenue of each day and its seven-day average. Over long spans, the daily average of each month or year, because
 * the first and the last one may be incomplete.
 */
export function lineChart(trends: Trends): Chart {
  const { series: periods, unit } = trends;
  const daily = unit === "day";
  const averages = daily ? movingAverages(periods) : [];
  const series: EChartsCoreOption[] = [{
    type: "line",
    data: periods.map((period) => toRoubles(dailyAverage(period))),
    showSymbol: periods.length === 1,
    silent: true,
    lineStyle: { color: cssColour(daily ? "faint" : "accent"), width: daily ? 1 : 2 },
    areaStyle: { color: cssColour("accent"), opacity: 0.08 },
    itemStyle: { color: cssColour("accent") },
  }];
  if (daily) {
    series.push({
      type: "line",
      data: averages.map((cents) => cents === undefined ? "-" : toRoubles(cents)),
      showSymbol: false,
      silent: true,
      lineStyle: { color: cssColour("accent"), width: 2.5, cap: "round" },
    });
  }
  return {
    id: "chart-line",
    label: `${daily ? "Daily revenue with its seven-day average" : `Average daily revenue by ${unit}`}` +
      `, from ${formatLongDate(trends.from)} to ${formatLongDate(trends.to)}. ` +
      `The best day was ${formatLongDate(trends.bestDay.date)} with ${
        formatCompactRoubles(trends.bestDay.amountCents)
      }.`,
    wide: WIDE,
    narrow: NARROW,
    option: (narrow) => ({
      grid: GRID,
      xAxis: {
        type: "category",
        data: periods.map(({ shortLabel }) => shortLabel),
        boundaryGap: false,
        ...AXIS_STYLE,
        ...monthAxis(trends, narrow),
      },
      yAxis: roublesAxis(narrow ? 3 : 4),
      series,
    }),
  };
}

/** Labels only the first days of months below a daily line, and only as many as fit. */
function monthAxis({ series, unit }: Trends, narrow: boolean): EChartsCoreOption {
  if (unit !== "day" || series.length < 60) return {};
  const months = series.flatMap(({ shortLabel }, index) => /^1\s/.test(shortLabel) ? [index] : []);
  const step = Math.ceil(months.length / (narrow ? MAX_NARROW_MONTHS : MAX_WIDE_MONTHS));
  const firsts = months.filter((_, index) => index % step === 0);
  return {
    axisLabel: {
      ...AXIS_STYLE.axisLabel,
      hideOverlap: false,
      interval: (index: number) => firsts.includes(index),
      formatter: (short: string) => short.split(/\s/)[1],
    },
  };
}

/** Average daily revenue by month and region, as stacked bars. */
export function monthsChart({ months }: Trends, regions: readonly Region[]): Chart {
  const ofRegion = (month: Period, region: string) =>
    dailyAverage({ amountCents: month.byRegion.get(region) ?? 0n, days: month.days });
  const top = bestPeriod(months, 7);
  return {
    id: "chart-months",
    label: `Average daily revenue by month and region. The best month was ${top.label} with ${
      formatCompactRoubles(dailyAverage(top))
    } a day.`,
    wide: HALF,
    narrow: NARROW,
    option: (narrow) => ({
      grid: GRID,
      xAxis: {
        type: "category",
        data: months.map(({ shortLabel }) => shortLabel.slice(0, 3)),
        ...AXIS_STYLE,
        axisLabel: { ...AXIS_STYLE.axisLabel, interval: narrow && months.length > 8 ? 1 : 0 },
      },
      yAxis: roublesAxis(narrow ? 3 : 4),
      series: regions.map(({ region }) => ({
        type: "bar",
        stack: "regions",
        silent: true,
        barCategoryGap: "28%",
        barMaxWidth: MAX_BAR_WIDTH,
        itemStyle: { color: regionColour(region) },
        data: months.map((month) => toRoubles(ofRegion(month, region))),
      })),
    }),
    tooltip: (series, index) => {
      const [month, { region }] = [months[index]!, regions[series]!];
      return `${month.label}, ${region}: ${formatCompactRoubles(ofRegion(month, region))} a day`;
    },
  };
}

/** Average daily revenue by weekday, compared to the overall daily average. */
export function weekdaysChart({ weekdays, spanDays }: Trends): Chart {
  const average = dailyAverage({
    amountCents: weekdays.reduce((sum, { amountCents }) => sum + amountCents, 0n),
    days: spanDays,
  });
  const values = weekdays.map(dailyAverage);
  return {
    id: "chart-weekdays",
    label:
      `Average daily revenue by weekday, compared to the overall average of ${
        formatCompactRoubles(average)
      }: ` +
      weekdays.map(({ label }, index) => `${label} ${formatChange(values[index]!, average)}`).join(", ") +
      ".",
    wide: HALF,
    narrow: NARROW,
    option: (narrow) => ({
      grid: GRID,
      xAxis: {
        type: "category",
        data: weekdays.map(({ shortLabel }, index) =>
          `${shortLabel}\n${formatChange(values[index]!, average)}`
        ),
        ...AXIS_STYLE,
        axisLabel: {
          ...AXIS_STYLE.axisLabel,
          fontSize: narrow ? 10 : FONT_SIZE,
          lineHeight: 17,
          interval: 0,
          hideOverlap: false,
        },
      },
      yAxis: roublesAxis(narrow ? 3 : 4),
      series: [{
        type: "bar",
        silent: true,
        barCategoryGap: "28%",
        barMaxWidth: MAX_BAR_WIDTH,
        itemStyle: { color: cssColour("accent") },
        data: values.map(toRoubles),
        markLine: {
          silent: true,
          symbol: "none",
          label: { show: false },
          lineStyle: { color: cssColour("ink"), type: [3, 3], width: 1 },
          data: [{ yAxis: toRoubles(average) }],
        },
      }],
    }),
    tooltip: (_, index) => `${weekdays[index]!.label}: ${formatRoubles(values[index]!)} a day`,
  };
}

/** Share of revenue by region, as one stacked bar. */
export function sharesChart(regions: readonly Region[]): Chart {
  return {
    id: "chart-shares",
    label: `Share of revenue: ${
      regions.map(({ region, share }) => `${region} ${formatMillionths(share)}`).join(", ")
    }.`,
    wide: { width: 1040, height: 44 },
    narrow: { width: NARROW_WIDTH, height: 44 },
    option: (narrow) => ({
      grid: { left: 0, right: 0, top: 0, bottom: 0 },
      xAxis: { type: "value", max: 1_000_000, show: false },
      yAxis: { type: "category", data: [""], show: false },
      series: regions.map(({ region, share }) => ({
        type: "bar",
        stack: "share",
        silent: true,
        barWidth: 44,
        itemStyle: { color: regionColour(region), borderColor: cssColour("page"), borderWidth: 1 },
        data: [Number(share)],
        label: {
          // Narrow parts have no room for a label; the table below has all names.
          show: share >= (narrow ? 120_000n : 70_000n),
          color: cssColour("on-region"),
          fontSize: FONT_SIZE,
          fontWeight: 600,
          formatter: narrow ? region : `${region} ${formatMillionths(share)}`,
        },
      })),
    }),
    tooltip: (series) => `${regions[series]!.region}: ${formatMillionths(regions[series]!.share)}`,
  };
}

/** Cumulative share of revenue by share of products. The closer to the upper left corner, the higher the concentration. */
export function curveChart(curve: readonly CurvePoint[], { products, fourFifths }: Concentration): Chart {
  const points = [
    [0, 0],
    ...curve.map(({ rank, cumulativeShare }) => [100 * rank / products, Number(cumulativeShare) / 10_000]),
  ];
  const axis = {
    type: "value",
    min: 0,
    max: 100,
    ...AXIS_STYLE,
    axisLabel: { ...AXIS_STYLE.axisLabel, formatter: "{value}%" },
  };
  return {
    id: "chart-curve",
    label:
      `Share of revenue by share of products, best sellers first: ${formatCount(fourFifths)} of ${
        formatCount(products)
      } products ` +
      "bring 80% of the revenue.",
    wide: HALF,
    narrow: { ...NARROW, height: 260 },
    option: () => ({
      grid: { ...GRID, right: 20 },
      xAxis: axis,
      yAxis: axis,
      series: [
        {
          type: "line",
          silent: true,
          showSymbol: false,
          data: [[0, 0], [100, 100]],
          lineStyle: { color: cssColour("faint"), width: 1, type: [4, 4] },
        },
        {
          type: "line",
          silent: true,
          showSymbol: false,
          data: points,
          lineStyle: { color: cssColour("accent"), width: 2.5 },
          areaStyle: { color: cssColour("accent"), opacity: 0.08 },
          markLine: {
            silent: true,
            symbol: "none",
            label: { show: false },
            lineStyle: { color: cssColour("ink"), type: [3, 3], width: 1 },
            data: [
              [{ coord: [0, 80] }, { coord: [100 * fourFifths / products, 80] }],
              [{ coord: [100 * fourFifths / products, 80] }, { coord: [100 * fourFifths / products, 0] }],
            ],
          },
        },
      ],
    }),
  };
}
