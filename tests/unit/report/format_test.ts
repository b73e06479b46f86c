import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import * as format from "../../../lib/report/format.ts";

/** Replaces narrow and ordinary no-break spaces with `_`, for readable cases. */
function plain(text: string | undefined): string {
  return text === undefined ? "undefined" : text.replace(/[\u202f\u00a0]/g, "_").replace("\u2212", "-");
}

const cases: [name: string, actual: string | undefined, expected: string][] = [
  ["formatCount() groups digits", format.formatCount(1020400), "1_020_400"],
  ["formatCount() adds no separator to three digits", format.formatCount(999n), "999"],
  ["formatCount() is exact above 2^53", format.formatCount(9007199254740993n), "9_007_199_254_740_993"],
  [
    "formatAmount() is exact above 2^53 cents",
    format.formatAmount(900719925474099307n),
    "9_007_199_254_740_993.07",
  ],
  ["formatAmount() keeps kopecks", format.formatAmount(5n), "0.05"],
  ["formatAmount() uses a minus sign, not a hyphen", format.formatAmount(-123456n), "-1_234.56"],
  ["formatRoubles() puts the minus before the rouble sign", format.formatRoubles(-5n), "-₽0.05"],
  ["formatCompactRoubles() rounds small amounts to roubles", format.formatCompactRoubles(86_950n), "₽870"],
  [
    "formatCompactRoubles() uses no unit below 10 000 roubles",
    format.formatCompactRoubles(999_949n),
    "₽9_999",
  ],
  [
    "formatCompactRoubles() uses thousands when the amount rounds to 10 000",
    format.formatCompactRoubles(999_950n),
    "₽10_k",
  ],
  [
    "formatCompactRoubles() uses millions when thousands round to 1 000",
    format.formatCompactRoubles(99_999_999n),
    "₽1_m",
  ],
  ["formatCompactRoubles() keeps three digits", format.formatCompactRoubles(1_305_778_227_450n), "₽13.1_bn"],
  [
    "formatCompactRoubles() keeps as many digits as requested",
    format.formatCompactRoubles(1_305_778_227_450n, 4),
    "₽13.06_bn",
  ],
  ["formatCompactRoubles() uses trillions", format.formatCompactRoubles(1_234_567_890_123_456n), "₽12.3_tn"],
  [
    "formatCompactRoubles() groups the digits of more than 1 000 trillions",
    format.formatCompactRoubles(123_456_000_000_000_000n),
    "₽1_235_tn",
  ],
  ["formatCompactRoubles() returns zero for no cents", format.formatCompactRoubles(0n), "₽0"],
  ["formatShare() rounds half up once", format.formatShare(1n, 800n), "0.1%"],
  ["formatShare() rounds a half up", format.formatShare(3n, 2000n), "0.2%"],
  ["formatShare() marks a share that rounds to zero", format.formatShare(1n, 1_000_000n), "<0.1%"],
  ["formatShare() returns a dash when the whole is zero", format.formatShare(0n, 0n), "–"],
  ["formatShare() returns 100.0% for the whole", format.formatShare(7n, 7n), "100.0%"],
  ["formatMillionths() converts stored shares", format.formatMillionths(318_649n), "31.9%"],
  ["formatChange() returns increases", format.formatChange(1042n, 1000n), "+4.2%"],
  ["formatChange() returns decreases", format.formatChange(997n, 1000n), "-0.3%"],
  [
    "formatChange() returns no sign when the change rounds to zero",
    format.formatChange(1_000_001n, 1_000_000n),
    "±0.0%",
  ],
  ["formatChange() returns a dash when there was nothing before", format.formatChange(5n, 0n), "–"],
  ["formatComparison() returns increases", format.formatComparison(1042n, 1000n), "4.2% more than"],
  ["formatComparison() returns decreases", format.formatComparison(958n, 1000n), "4.2% less than"],
  ["formatComparison() returns equality", format.formatComparison(1000n, 1000n), "as much as"],
  ["formatLongDate() spells out the month", format.formatLongDate("2026-03-01"), "1_March_2026"],
  ["formatShortDate() abbreviates the month", format.formatShortDate("2026-11-24"), "24_Nov"],
  ["formatDuration() returns two decimals below 10 s", format.formatDuration(0.784), "0.78_s"],
  ["formatDuration() returns one decimal from 10 s", format.formatDuration(12.34), "12.3_s"],
  ["formatDuration() returns minutes when seconds round to 60", format.formatDuration(59.96), "1_min 00_s"],
  ["formatDuration() returns minutes and seconds", format.formatDuration(185), "3_min 05_s"],
  ["formatDuration() returns hours and minutes", format.formatDuration(7_500), "2_h 05_min"],
  [
    "formatRowsPerSecond() uses the larger of rows in and out",
    format.formatRowsPerSecond({ rows_in: 0, rows_out: 500, seconds: 0.5 }),
    "1_000",
  ],
  [
    "formatRowsPerSecond() returns undefined without time",
    format.formatRowsPerSecond({ rows_in: 5, rows_out: 5, seconds: 0 }),
    "undefined",
  ],
  [
    "formatRowsPerSecond() returns undefined without rows",
    format.formatRowsPerSecond({ rows_in: 0, rows_out: null, seconds: 1 }),
    "undefined",
  ],
];

describe("format", () => {
  for (const [name, actual, expected] of cases) it(name, () => assertEquals(plain(actual), expected));

  it("weekdayIndex() counts from Monday, also before 1970", () => {
    const days = ["2026-11-23", "2026-11-29", "1970-01-01", "1969-12-28"];
    assertEquals(days.map(format.weekdayIndex), [0, 6, 3, 6]);
  });

  it("monthName() and shortMonthName() take months from 1 to 12", () => {
    assertEquals([1, 12].map(format.monthName), ["January", "December"]);
    assertEquals([1, 12].map(format.shortMonthName), ["Jan", "Dec"]);
  });
});
