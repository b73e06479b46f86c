import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
// @ts-types="../../../../lib/ingest/values/luxon.d.ts"
import { DateTime } from "luxon";
import { DateReader, isTimeZone } from "../../../../lib/ingest/values/date_text.ts";

function read(text: string, formats: string[] = [], timeZone?: string): string | undefined {
  return new DateReader({ formats, ...(timeZone ? { timeZone } : {}) }).read(text);
}

describe("DateReader without a format", () => {
  it("reads the data contract's forms", () => {
    const texts = [
      "2026-11-16",
      "2026-11-16T10:14:00",
      "2026-11-16 10:14",
      "16.11.2026",
      "16.11.2026 10:14:00",
      "2026/11/16",
    ];
    assertEquals(texts.map((text) => read(text)), texts.map(() => "2026-11-16"));
  });

  it("takes times with an offset for days in Moscow", () => {
    assertEquals(read("2026-11-15T20:59:59.999Z"), "2026-11-15");
    assertEquals(read("2026-11-15T21:00:00Z"), "2026-11-16");
    assertEquals(read("2026-11-15 21:00 UTC"), "2026-11-16");
    assertEquals(read("2026-11-15 21:00:00+00"), "2026-11-16");
    assertEquals(read("2026-11-16T00:00:00+03:00"), "2026-11-16");
    assertEquals(read("2026-11-16T00:00:00+0400"), "2026-11-15");
    assertEquals(read("2026-11-15 13:00:00 -0800"), "2026-11-16");
    assertEquals(read("15.11.2026 23:00:00 GMT"), "2026-11-16");
  });

  it("knows that Moscow's offset was another one", () => {
    // Four hours until October 2014, three since.
    assertEquals(read("2014-10-25T20:30:00Z"), "2014-10-26");
    assertEquals(read("2014-10-26T20:30:00Z"), "2014-10-26");
  });

  it("gives nothing for what is no date", () => {
    const texts = [
      "",
      "2026-02-30",
      "2026-11-16 24:00",
      "2026-11-16 10:60",
      "11/16/2026",
      "16.11.26",
      "tomorrow",
    ];
    assertEquals(texts.map((text) => read(text)), texts.map(() => undefined));
    assertEquals(read("2026-11-16T10:00:00+15:00"), undefined);
  });
});

describe("DateReader with formats", () => {
  it("reads numeric tokens", () => {
    assertEquals(read("11/2/2026 8:26", ["M/d/yyyy H:mm"]), "2026-11-02");
    assertEquals(read("02.11.26", ["dd.MM.yy"]), "2026-11-02");
    assertEquals(read("02.11.61", ["dd.MM.yy"]), "1961-11-02");
    assertEquals(read("11/2/26 12:05 AM", ["M/d/yy h:mm a"]), "2026-11-02");
    assertEquals(read("2026-11-12 23:59:58 +0000", ["yyyy-MM-dd HH:mm:ss ZZZ"]), "2026-11-13");
    assertEquals(read("2026-11-12T23:59:58.123+00:00", ["yyyy-MM-dd'T'HH:mm:ss.SSSZZ"]), "2026-11-13");
  });

  it("takes the first that fits", () => {
    const formats = ["dd.MM.yyyy H:mm:ss", "dd.MM.yyyy"];
    assertEquals(["09.11.2026 9:15:00", "09.11.2026", "9.11.2026"].map((text) => read(text, formats)), [
      "2026-11-09",
      "2026-11-09",
      undefined,
    ]);
  });

  it("does not read what the format does not say", () => {
    assertEquals(read("2026-11-16", ["M/d/yyyy"]), undefined);
    assertEquals(read("11/31/2026", ["M/d/yyyy"]), undefined);
    assertEquals(read("13/01/2026", ["M/d/yyyy"]), undefined);
    assertEquals(read("11/2/2026 13:00 PM", ["M/d/yyyy h:mm a"]), undefined);
    assertEquals(read("11x2x2026", ["M.d.yyyy"]), undefined);
  });

  it("reads names of months in English and Russian", () => {
    assertEquals(read("Nov 5, 2026", ["MMM d, yyyy"]), "2026-11-05");
    assertEquals(read("5 ноября 2026", ["d MMMM yyyy"]), "2026-11-05");
    assertEquals(read("Thursday, 5 November 2026", ["EEEE, d MMMM yyyy"]), "2026-11-05");
    const reader = new DateReader({ formats: ["MMM d, yyyy h:mm:ss a z"] });
    const text = "Nov 5, 2026 11:30:00 PM America/Los_Angeles";
    assertEquals([reader.read(text), reader.read(text)], ["2026-11-06", "2026-11-06"]);
  });
});

describe("DateReader with a time zone", () => {
  it("converts times without an offset, and only those", () => {
    const zone = "America/New_York";
    assertEquals(read("2026-11-15 23:30", [], zone), "2026-11-16");
    assertEquals(read("2026-11-15", [], zone), "2026-11-15");
    assertEquals(read("2026-11-15 20:30 UTC", [], zone), "2026-11-15");
    assertEquals(
      read("Nov 5, 2026 11:30 PM PST", ["MMM d, yyyy h:mm a 'PST'"], "America/Los_Angeles"),
      "2026-11-06",
    );
  });

  it("agrees with Luxon at every half hour of a year with two changes of the clock", () => {
    const zone = "America/New_York";
    const format = "yyyy-MM-dd HH:mm";
    const reader = new DateReader({ formats: [format], timeZone: zone });
    const wrong: string[] = [];
    for (let moment = Date.UTC(2026, 0, 1); moment < Date.UTC(2027, 0, 1); moment += 1_800_000) {
      const text = new Date(moment).toISOString().slice(0, 16).replace("T", " ");
      const millis = DateTime.fromFormat(text, format, { zone }).toMillis();
      const moscow = new Date(millis + 3 * 3_600_000).toISOString().slice(0, 10);
      if (reader.read(text) !== moscow) wrong.push(text);
    }
    assertEquals(wrong, []);
  });
});

describe("isTimeZone()", () => {
  it("knows the zones of the IANA database", () => {
    assert(isTimeZone("Europe/Moscow") && isTimeZone("America/New_York"));
    assert(!isTimeZone("Moscow") && !isTimeZone(""));
  });
});
