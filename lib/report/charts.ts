/** The charts of the report. Here, and only here, amounts become floats: they are positions on a screen. */
import type { EChartsCoreOption } from "echarts/core";
import { AXIS, type Chart, colour, FONT_SIZE, NARROW_WIDTH, regionColour } from "./chart.ts";
import type { Concentration, CurvePoint, Region } from "./figures.ts";
import { change, count, longDay, millionths, roubles, shortRoubles } from "./format.ts";
import { best, perDay, type Period, type Seasons, weekAverages } from "./seasons.ts";

const WIDE = { width: 1040, height: 300 };
const HALF = { width: 500, height: 270 };
const NARROW = { width: NARROW_WIDTH, height: 230 };
const MAX_BAR_WIDTH = 44;
/** Names of months that find room under a chart. */
const WIDE_MONTHS = 14;
const NARROW_MONTHS = 6;

/** Roubles as a position. */
function position(cents: bigint): number {
  return Number(cents) / 100;
}

/** A position on an axis as words; ticks are round numbers, so nothing is lost. */
function tick(value: number): string {
  return shortRoubles(BigInt(Math.round(value * 100)));
}

function roublesAxis(splitNumber: number) {
  return { type: "value", splitNumber, ...AXIS, axisLabel: { ...AXIS.axisLabel, formatter: tick } };
}

const GRID = {
  left: 4,
  right: 12,
  top: 14,
  bottom: 4,
  outerBoundsMode: "same",
  outerBoundsContain: "axisLabel",
};

/** The line of all days with its seven-day average; over long spans of an average day of each month or year, as the first and last may be cut short. */
export function lineChart(found: Seasons): Chart {
  const { line, unit } = found;
  const daily = unit === "day";
  const averages = daily ? weekAverages(line) : [];
  const series: EChartsCoreOption[] = [{
    type: "line",
    data: line.map((period) => position(perDay(period))),
    showSymbol: line.length === 1,
    silent: true,
    lineStyle: { color: colour(daily ? "faint" : "accent"), width: daily ? 1 : 2 },
    areaStyle: { color: colour("accent"), opacity: 0.08 },
    itemStyle: { color: colour("accent") },
  }];
  if (daily) {
    series.push({
      type: "line",
      data: averages.map((cents) => cents === undefined ? "-" : position(cents)),
      showSymbol: false,
      silent: true,
      lineStyle: { color: colour("accent"), width: 2.5, cap: "round" },
    });
  }
  return {
    id: "chart-line",
    label:
      `${
        daily ? "Revenue of each day with its seven-day average" : `Revenue of an average day of each ${unit}`
      }` +
      `, from ${longDay(found.from)} to ${longDay(found.to)}. ` +
      `The best day was ${longDay(found.bestDay.date)} with ${shortRoubles(found.bestDay.amountCents)}.`,
    wide: WIDE,
    narrow: NARROW,
    option: (narrow) => ({
      grid: GRID,
      xAxis: {
        type: "category",
        data: line.map(({ short }) => short),
        boundaryGap: false,
        ...AXIS,
        ...monthTicks(found, narrow),
      },
      yAxis: roublesAxis(narrow ? 3 : 4),
      series,
    }),
  };
}

/** Under a line of days only the first days of months are named, and of these only as many as find room. */
function monthTicks({ line, unit }: Seasons, narrow: boolean): EChartsCoreOption {
  if (unit !== "day" || line.length < 60) return {};
  const months = line.flatMap(({ short }, index) => /^1\s/.test(short) ? [index] : []);
  const step = Math.ceil(months.length / (narrow ? NARROW_MONTHS : WIDE_MONTHS));
  const firsts = months.filter((_, index) => index % step === 0);
  return {
    axisLabel: {
      ...AXIS.axisLabel,
      hideOverlap: false,
      interval: (index: number) => firsts.includes(index),
      formatter: (short: string) => short.split(/\s/)[1],
    },
  };
}

/** Revenue of an average day of each month, by region. */
export function monthsChart({ months }: Seasons, regions: readonly Region[]): Chart {
  const ofRegion = (month: Period, region: string) =>
    perDay({ amountCents: month.byRegion.get(region) ?? 0n, days: month.days });
  const top = best(months, 7);
  return {
    id: "chart-months",
    label: `Revenue of an average day by month and region. The best was ${top.label} with ${
      shortRoubles(perDay(top))
    } a day.`,
    wide: HALF,
    narrow: NARROW,
    option: (narrow) => ({
      grid: GRID,
      xAxis: {
        type: "category",
        data: months.map(({ short }) => short.slice(0, 3)),
        ...AXIS,
        axisLabel: { ...AXIS.axisLabel, interval: narrow && months.length > 8 ? 1 : 0 },
      },
      yAxis: roublesAxis(narrow ? 3 : 4),
      series: regions.map(({ region }) => ({
        type: "bar",
        stack: "regions",
        silent: true,
        barCategoryGap: "28%",
        barMaxWidth: MAX_BAR_WIDTH,
        itemStyle: { color: regionColour(region) },
        data: months.map((month) => position(ofRegion(month, region))),
      })),
    }),
    tip: (series, index) => {
      const [month, { region }] = [months[index]!, regions[series]!];
      return `${month.label}, ${region}: ${shortRoubles(ofRegion(month, region))} a day`;
    },
  };
}

/** Revenue of an average day of each weekday, against the average of all days. */
export function weekdaysChart({ weekdays, span }: Seasons): Chart {
  const average = perDay({
    amountCents: weekdays.reduce((sum, { amountCents }) => sum + amountCents, 0n),
    days: span,
  });
  const values = weekdays.map(perDay);
  return {
    id: "chart-weekdays",
    label: `Revenue of an average day by weekday, against the average of ${shortRoubles(average)}: ` +
      weekdays.map(({ label }, index) => `${label} ${change(values[index]!, average)}`).join(", ") + ".",
    wide: HALF,
    narrow: NARROW,
    option: (narrow) => ({
      grid: GRID,
      xAxis: {
        type: "category",
        data: weekdays.map(({ short }, index) => `${short}\n${change(values[index]!, average)}`),
        ...AXIS,
        axisLabel: {
          ...AXIS.axisLabel,
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
        itemStyle: { color: colour("accent") },
        data: values.map(position),
        markLine: {
          silent: true,
          symbol: "none",
          label: { show: false },
          lineStyle: { color: colour("ink"), type: [3, 3], width: 1 },
          data: [{ yAxis: position(average) }],
        },
      }],
    }),
    tip: (_, index) => `${weekdays[index]!.label}: ${roubles(values[index]!)} a day`,
  };
}

/** One bar, divided among the regions. */
export function sharesChart(regions: readonly Region[]): Chart {
  return {
    id: "chart-shares",
    label: `Share of revenue: ${
      regions.map(({ region, share }) => `${region} ${millionths(share)}`).join(", ")
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
        itemStyle: { color: regionColour(region), borderColor: colour("page"), borderWidth: 1 },
        data: [Number(share)],
        label: {
          // A sliver has no room for its name; the table below has it.
          show: share >= (narrow ? 120_000n : 70_000n),
          color: colour("on-region"),
          fontSize: FONT_SIZE,
          fontWeight: 600,
          formatter: narrow ? region : `${region} ${millionths(share)}`,
        },
      })),
    }),
    tip: (series) => `${regions[series]!.region}: ${millionths(regions[series]!.share)}`,
  };
}

/** How much of the revenue the leading products bring: the nearer to the corner, the more depends on few of them. */
export function curveChart(curve: readonly CurvePoint[], { products, fourFifths }: Concentration): Chart {
  const points = [
    [0, 0],
    ...curve.map(({ rank, cumulative }) => [100 * rank / products, Number(cumulative) / 10_000]),
  ];
  const axis = {
    type: "value",
    min: 0,
    max: 100,
    ...AXIS,
    axisLabel: { ...AXIS.axisLabel, formatter: "{value}%" },
  };
  return {
    id: "chart-curve",
    label:
      `Share of revenue by share of products, best sellers first: ${count(fourFifths)} of ${
        count(products)
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
          lineStyle: { color: colour("faint"), width: 1, type: [4, 4] },
        },
        {
          type: "line",
          silent: true,
          showSymbol: false,
          data: points,
          lineStyle: { color: colour("accent"), width: 2.5 },
          areaStyle: { color: colour("accent"), opacity: 0.08 },
          markLine: {
            silent: true,
            symbol: "none",
            label: { show: false },
            lineStyle: { color: colour("ink"), type: [3, 3], width: 1 },
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
