import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { PlainDate } from "../../../../lib/ingest/plain/plain_date.ts";
import { DateReader, type DateRules } from "../../../../lib/ingest/values/date_text.ts";

function read(text: string, rules: DateRules): string | undefined {
  const date = new PlainDate(new DateReader(rules));
  const bytes = new TextEncoder().encode(`,${text},`);
  return date.read(bytes, 1, bytes.length - 1) ? new TextDecoder().decode(date.text) : undefined;
}

const usual: DateRules = { formats: [] };

describe("PlainDate", () => {
  it("reads the data contract's forms", () => {
    const forms = [
      "2026-11-16",
      "2026-11-16 10:14:00",
      "2026-11-16T10:14:59",
      "2026-11-16 10:14",
      "16.11.2026",
    ];
    for (const text of [...forms, "16.11.2026 10:14", "16.11.2026 10:14:00", "2026/11/16"]) {
      assertEquals(read(text, usual), "2026-11-16", text);
    }
  });

  it("reads a format of digits and marks", () => {
    const rules = { formats: ["M/d/yyyy H:mm"] };
    assertEquals(read("1/2/2026 9:05", rules), "2026-01-02");
    assertEquals(read("11/12/2026 19:05", rules), "2026-11-12");
  });

  it("converts a time of another zone", () => {
    const rules = { formats: ["yyyy-MM-dd HH:mm:ss"], timeZone: "America/New_York" };
    assertEquals(read("2026-11-16 16:59:59", rules), "2026-11-17");
    assertEquals(read("2026-11-16 15:59:59", rules), "2026-11-16");
  });

  const others: [text: string, rules: DateRules][] = [
    ["2026-02-30", usual],
    ["2026-11-16 24:00", usual],
    ["2026-11-16 10:60", usual],
    ["2026-11-16 10:14:00Z", usual],
    ["2026-11-1", usual],
    ["", usual],
    ["16.11.26", { formats: ["dd.MM.yy"] }],
    ["16 Nov 2026", { formats: ["dd MMM yyyy"] }],
    ["16.11.2026", { formats: ["dd MMM yyyy", "dd.MM.yyyy"] }],
    ["2026-11-16  10:14", { formats: ["yyyy-MM-dd HH:mm"] }],
  ];
  for (const [text, rules] of others) {
    it(`leaves ${text || "nothing"} to be read as text`, () => assertEquals(read(text, rules), undefined));
  }

  it("reads what it reads as the reader of texts does", () => {
    const formats = [
      "yyyy-MM-dd HH:mm:ss",
      "d.M.yyyy",
      "dd.MM.yyyy HH:mm",
      "MM/dd/yyyy",
      "yyyy-MM-dd'T'HH:mm",
    ];
    const part = fc.constantFrom(
      "1",
      "01",
      "31",
      "30",
      "29",
      "02",
      "12",
      "13",
      "00",
      "24",
      "2026",
      "2024",
      "0099",
    );
    const text = fc.array(fc.tuple(part, fc.constantFrom("", "-", ".", "/", " ", ":", "T")), { maxLength: 6 })
      .map((parts) => parts.flat().join(""));
    fc.assert(
      fc.property(
        text,
        fc.subarray(formats),
        fc.constantFrom(undefined, "Asia/Tokyo"),
        (text, formats, timeZone) => {
          const rules = timeZone === undefined ? { formats } : { formats, timeZone };
          const date = read(text, rules);
          if (date !== undefined) assertEquals(date, new DateReader(rules).read(text));
        },
      ),
      { numRuns: 500 },
    );
  });
});
