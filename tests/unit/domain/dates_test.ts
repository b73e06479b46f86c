import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  dateRange,
  isAsOfDate,
  isIsoDate,
  isValidDate,
  toDay,
  today,
  toIsoDate,
} from "../../../lib/domain/dates.ts";

describe("today()", () => {
  const cases: [instant: string, date: string][] = [
    ["2026-11-24T20:59:59.999Z", "2026-11-24"],
    ["2026-11-24T21:00:00Z", "2026-11-25"],
    ["2026-12-31T20:59:59Z", "2026-12-31"],
    ["2026-12-31T21:00:00Z", "2027-01-01"],
    ["2028-02-28T21:00:00Z", "2028-02-29"],
    // Moscow has no daylight saving time, unlike the rest of Europe on these dates.
    ["2026-03-29T00:30:00Z", "2026-03-29"],
    ["2026-03-28T21:00:00Z", "2026-03-29"],
    ["2026-10-25T20:59:59Z", "2026-10-25"],
    ["2026-10-25T21:00:00Z", "2026-10-26"],
    ["2026-07-15T20:59:59Z", "2026-07-15"],
    ["2026-07-15T21:00:00Z", "2026-07-16"],
  ];
  for (const [instant, date] of cases) {
    it(`returns ${date} at ${instant}`, () => assertEquals(today(new Date(instant)), date));
  }

  for (const zone of ["UTC", "America/Los_Angeles", "Pacific/Kiritimati"]) {
    it(`does not depend on the time zone of the machine, such as ${zone}`, async () => {
      const dates = new URL("../../../lib/domain/dates.ts", import.meta.url).href;
      const code = `import { today, dateRange } from "${dates}";
        console.log(today(new Date("2026-11-24T21:30:00Z")), JSON.stringify(dateRange("2026-11-24")));`;
      const { stdout } = await new Deno.Command(Deno.execPath(), {
        args: ["eval", "--no-config", "--no-lock", code],
        env: { TZ: zone },
      }).output();
      assertEquals(
        new TextDecoder().decode(stdout).trim(),
        '2026-11-25 {"from":"2025-11-25","to":"2026-11-24"}',
      );
    });
  }
});

describe("isIsoDate()", () => {
  const valid = ["2026-11-24", "2024-02-29", "2000-02-29", "0001-01-01", "9999-12-31", "1970-01-01"];
  for (const text of valid) it(`accepts ${text}`, () => assertEquals(isIsoDate(text), true));
  const invalid = [
    "",
    "2026-02-29",
    "1900-02-29",
    "2026-02-30",
    "2026-04-31",
    "2026-13-01",
    "2026-00-01",
    "2026-01-00",
  ];
  invalid.push(
    "2026-1-1",
    "20260101",
    "2026-01-01T00:00:00Z",
    " 2026-01-01",
    "2026-01-01\n",
    "12026-01-01",
    "٢٠٢٦-01-01",
  );
  for (const text of invalid) {
    it(`rejects ${JSON.stringify(text)}`, () => assertEquals(isIsoDate(text), false));
  }
});

describe("isAsOfDate()", () => {
  const cases: [text: string, valid: boolean][] = [
    ["1971-01-01", true],
    ["1970-12-31", false],
    ["2149-06-06", true],
    ["2149-06-07", false],
    ["2026-02-30", false],
    ["9999-12-31", false],
  ];
  for (const [text, valid] of cases) {
    it(`${valid ? "accepts" : "rejects"} ${text}`, () => assertEquals(isAsOfDate(text), valid));
  }
});

describe("toDay() and toIsoDate()", () => {
  it("are inverse for every day of four centuries", () => {
    for (let day = toDay("1800-01-01"); day <= toDay("2200-12-31"); day++) {
      assertEquals(toDay(toIsoDate(day)), day);
    }
    assertEquals(toIsoDate(0), "1970-01-01");
    assertEquals(toIsoDate(toDay("no date")), "");
  });
});

describe("dateRange()", () => {
  const cases: [asOf: string, from: string][] = [
    ["2026-11-24", "2025-11-25"],
    ["2024-12-31", "2024-01-02"],
    ["2023-12-31", "2023-01-01"],
    ["2024-02-29", "2023-03-02"],
    ["2025-02-27", "2024-02-29"],
    ["2024-02-28", "2023-03-01"],
  ];
  for (const [asOf, from] of cases) {
    it(`returns the 365 days from ${from} to ${asOf}`, () => {
      assertEquals(dateRange(asOf), { from, to: asOf });
      assertEquals(toDay(asOf) - toDay(from), 364);
    });
  }
});

describe("isValidDate()", () => {
  it("agrees with Date for every day of years around leap years", () => {
    for (const year of [1, 4, 100, 400, 1600, 1899, 1900, 1970, 1999, 2000, 2023, 2024, 2026, 2100, 9999]) {
      for (let month = 0; month <= 13; month++) {
        for (let day = 0; day <= 32; day++) {
          const date = new Date(0);
          date.setUTCFullYear(year, month - 1, day);
          const exists = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 &&
            date.getUTCDate() === day;
          assertEquals(isValidDate(year, month, day), exists, `${year}-${month}-${day}`);
        }
      }
    }
    assert(!isValidDate(0, 1, 1));
  });
});
