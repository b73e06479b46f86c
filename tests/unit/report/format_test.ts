import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import * as format from "../../../lib/report/format.ts";

/** Narrow and ordinary no-break spaces as `_`, so that cases can be read. */
function plain(text: string | undefined): string {
  return text === undefined ? "nothing" : text.replace(/[\u202f\u00a0]/g, "_").replace("\u2212", "-");
}

const cases: [name: string, made: string | undefined, expected: string][] = [
  ["count() groups digits", format.count(1020400), "1_020_400"],
  ["count() leaves three digits alone", format.count(999n), "999"],
  ["count() is exact beyond 2^53", format.count(9007199254740993n), "9_007_199_254_740_993"],
  ["amount() is exact beyond 2^53 cents", format.amount(900719925474099307n), "9_007_199_254_740_993.07"],
  ["amount() keeps kopecks", format.amount(5n), "0.05"],
  ["amount() writes a real minus", format.amount(-123456n), "-1_234.56"],
  ["roubles() puts the minus before the sign", format.roubles(-5n), "-₽0.05"],
  ["shortRoubles() writes small amounts whole", format.shortRoubles(86_950n), "₽870"],
  ["shortRoubles() writes thousands from 10 000 on", format.shortRoubles(999_949n), "₽9_999"],
  ["shortRoubles() changes the unit when rounding reaches it", format.shortRoubles(999_950n), "₽10_k"],
  ["shortRoubles() never writes 1 000 k", format.shortRoubles(99_999_999n), "₽1_m"],
  ["shortRoubles() keeps three digits", format.shortRoubles(1_305_778_227_450n), "₽13.1_bn"],
  ["shortRoubles() keeps as many digits as asked", format.shortRoubles(1_305_778_227_450n, 4), "₽13.06_bn"],
  ["shortRoubles() writes sums of 10^9 sales", format.shortRoubles(1_234_567_890_123_456n), "₽12.3_tn"],
  [
    "shortRoubles() groups what is larger than any unit",
    format.shortRoubles(123_456_000_000_000_000n),
    "₽1_235_tn",
  ],
  ["shortRoubles() writes nothing as zero", format.shortRoubles(0n), "₽0"],
  ["share() rounds half up once", format.share(1n, 800n), "0.1%"],
  ["share() rounds up from the half", format.share(3n, 2000n), "0.2%"],
  ["share() shows what is too small to round", format.share(1n, 1_000_000n), "<0.1%"],
  ["share() of nothing is a dash", format.share(0n, 0n), "–"],
  ["share() of all is 100.0%", format.share(7n, 7n), "100.0%"],
  ["millionths() reads stored shares", format.millionths(318_649n), "31.9%"],
  ["change() upwards", format.change(1042n, 1000n), "+4.2%"],
  ["change() downwards", format.change(997n, 1000n), "-0.3%"],
  ["change() of next to nothing has no sign", format.change(1_000_001n, 1_000_000n), "±0.0%"],
  ["change() from nothing is a dash", format.change(5n, 0n), "–"],
  ["compared() upwards", format.compared(1042n, 1000n), "4.2% more than"],
  ["compared() downwards", format.compared(958n, 1000n), "4.2% less than"],
  ["compared() alike", format.compared(1000n, 1000n), "as much as"],
  ["longDay() names the month", format.longDay("2026-03-01"), "1_March_2026"],
  ["shortDay() shortens the month", format.shortDay("2026-11-24"), "24_Nov"],
  ["duration() in milliseconds", format.duration(0.784), "0.78_s"],
  ["duration() in seconds", format.duration(12.34), "12.3_s"],
  ["duration() never writes 60 s", format.duration(59.96), "1_min 00_s"],
  ["duration() in minutes", format.duration(185), "3_min 05_s"],
  ["duration() in hours", format.duration(7_500), "2_h 05_min"],
  [
    "rowsPerSecond() takes the larger side",
    format.rowsPerSecond({ rows_in: 0, rows_out: 500, seconds: 0.5 }),
    "1_000",
  ],
  [
    "rowsPerSecond() without time is nothing",
    format.rowsPerSecond({ rows_in: 5, rows_out: 5, seconds: 0 }),
    "nothing",
  ],
  [
    "rowsPerSecond() without rows is nothing",
    format.rowsPerSecond({ rows_in: 0, rows_out: null, seconds: 1 }),
    "nothing",
  ],
];

describe("report format", () => {
  for (const [name, made, expected] of cases) it(name, () => assertEquals(plain(made), expected));

  it("weekdayOf() counts from Monday, before 1970 too", () => {
    const days = ["2026-11-23", "2026-11-29", "1970-01-01", "1969-12-28"];
    assertEquals(days.map(format.weekdayOf), [0, 6, 3, 6]);
  });
});
