import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  compileFormat,
  findFormatMistake,
  USUAL_PATTERNS,
} from "../../../../lib/ingest/values/date_format.ts";

describe("compileFormat()", () => {
  it("compiles numeric tokens and literals", () => {
    const pattern = compileFormat("d.MM.yyyy 'at' H:mm ZZ");
    assert("expression" in pattern);
    assertEquals(pattern.fields, ["day", "month", "year", "hour", "minute", "offset"]);
    assertEquals(pattern.expression.exec("5.11.2026\u00a0at 8:30 +03:00")?.slice(1), [
      "5",
      "11",
      "2026",
      "8",
      "30",
      "+03:00",
    ]);
    assertEquals(pattern.expression.exec("5-11-2026 at 8:30 +03:00"), null);
  });

  it("leaves other tokens to Luxon", () => {
    const formats = ["MMM d, yyyy", "MMM d, yyyy HH:mm z"];
    assertEquals(formats.map(compileFormat), [
      { format: formats[0]!, hasZone: false, hasTime: false },
      { format: formats[1]!, hasZone: true, hasTime: true },
    ]);
  });
});

describe("USUAL_PATTERNS", () => {
  it("fit at most one at a time", () => {
    const texts = ["2026-11-16", "16.11.2026 10:14", "2026/11/16", "2026-11-16T10:14:00Z", "11/16/2026"];
    const counts = texts.map((text) =>
      USUAL_PATTERNS.filter(({ expression }) => expression.test(text)).length
    );
    assertEquals(counts, [1, 1, 1, 1, 0]);
  });
});

describe("findFormatMistake()", () => {
  it("finds nothing in formats that say year, month and day", () => {
    const formats = [
      "yyyy-MM-dd",
      "d LLL yy",
      "yyyy ooo",
      "MMM d, yyyy h:mm a 'PST'",
      "yyyy-MM-dd'T'HH:mm:ssZZ",
    ];
    assertEquals(formats.map(findFormatMistake), formats.map(() => undefined));
  });

  it("says what is missing or unknown", () => {
    assertEquals(findFormatMistake("HH:mm"), "it lacks a year (yyyy) and a month (MM) and a day (dd)");
    assertEquals(findFormatMistake("MM/dd"), "it lacks a year (yyyy)");
    assertEquals(findFormatMistake("yyyy-MM-dd'T"), "a quote ' is not closed");
    assertEquals(
      findFormatMistake("yyyy-MM-ddTHH:mm"),
      "T is none of Luxon's tokens; put text into quotes: 'T'",
    );
    assertEquals(
      findFormatMistake("DD.MM.YYYY"),
      "DD is none of Luxon's tokens; put text into quotes: 'DD'",
    );
  });
});
