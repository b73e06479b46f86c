import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { formatSerial, isDateFormat } from "../../../../lib/ingest/formats/workbook_dates.ts";

describe("isDateFormat()", () => {
  const dates = [
    ...[
      "yyyy-mm-dd",
      "dd.mm.yyyy",
      "d-mmm-yy",
      "h:mm AM/PM",
      "mm:ss.0",
      "YYYY/MM/DD HH:MM:SS.000",
      "m/d/yy;@",
    ],
    ...[
      '[$-419]d mmmm yyyy" г.";@',
      "[Red]yyyy-mm-dd;[Blue]0.00",
      "dd\\.mm\\.yyyy",
      "[$-F800]dddd\\,\\ mmmm\\ dd\\,\\ yyyy",
    ],
  ];
  for (const code of dates) it(`takes ${code} for dates`, () => assertEquals(isDateFormat(164, code), true));

  const numbers = [
    ...[
      "General",
      "0",
      "0.00",
      "#,##0.00",
      "0%",
      "0.00E+00",
      "@",
      "# ?/?",
      '#,##0.00\\ "₽"',
      '0 "days"',
      "0.00 USD",
    ],
    ...[
      "#,##0.00\\ [$USD]",
      "[$-409]#,##0.00",
      '[Red]0;"yyyy"',
      "_-* #,##0.00_d_-",
      "[h]:mm",
      "[mm]:ss",
      '"d"0',
      "",
      "\\d",
    ],
  ];
  for (const code of numbers) {
    it(`takes ${code} for numbers`, () => assertEquals(isDateFormat(164, code), false));
  }

  it("knows the built-in formats", () => {
    const ids = [0, 1, 2, 4, 9, 13, 14, 17, 18, 22, 23, 30, 37, 40, 44, 45, 46, 47, 48, 49, 57, 59];
    assertEquals(ids.filter((id) => isDateFormat(id, undefined)), [14, 17, 18, 22, 30, 45, 47, 57]);
  });
});

describe("formatSerial()", () => {
  const cases: [serial: number, text: string][] = [
    [46_341, "2026-11-15"],
    [46_341.5, "2026-11-15 12:00:00"],
    [46_341.999988426, "2026-11-15 23:59:59"],
    [46_341.9999999, "2026-11-16"],
    [46_341.0000001, "2026-11-15"],
    [46_035.25412037037, "2026-01-13 06:05:56"],
    [61, "1900-03-01"],
    [60, "60"],
    [60.5, "60.5"],
    [59.25, "1900-02-28 06:00:00"],
    [1, "1900-01-01"],
    [0.75, "18:00:00"],
    [0, "00:00:00"],
    [2_958_465.5, "9999-12-31 12:00:00"],
    [2_958_466, "2958466"],
    [-1, "-1"],
    [NaN, "NaN"],
    [1e300, "1" + "0".repeat(300)],
  ];
  for (const [serial, text] of cases) {
    it(`writes ${serial} as ${text.slice(0, 30)}`, () => assertEquals(formatSerial(serial, false), text));
  }

  it("counts from 1904 when the workbook does", () => {
    assertEquals([formatSerial(44_879, true), formatSerial(1.5, true), formatSerial(60, true)], [
      "2026-11-15",
      "1904-01-02 12:00:00",
      "1904-03-01",
    ]);
    assertEquals([formatSerial(2_957_003, true), formatSerial(2_957_004, true)], ["9999-12-31", "2957004"]);
  });

  it("writes what is no date with the mark of numbers", () =>
    assertEquals(formatSerial(-1.5, false, ","), "-1,5"));
});
