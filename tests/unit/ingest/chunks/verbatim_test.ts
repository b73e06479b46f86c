import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { countVerbatimLines } from "../../../../lib/ingest/chunks/verbatim.ts";
import { joinBytes } from "../../store/harness.ts";

describe("countVerbatimLines()", () => {
  const cases: [
    what: string,
    content: string | Uint8Array,
    lines: { rows: number; blank: number } | undefined,
  ][] = [
    ["rows", "1,a,b\n2,,\n3, x ,д\n", { rows: 3, blank: 0 }],
    ["blank lines", "\n1,a,b\n\n\n2,a,b\n\n", { rows: 2, blank: 4 }],
    ["nothing", "", { rows: 0, blank: 0 }],
    ["no line end at the end", "1,a,b\n2,a,b", undefined],
    ["too few values", "1,a\n", undefined],
    ["too many values", "1,a,b,c\n", undefined],
    ["few and many values, whose commas make up for each other", "1,a\n2,a,b,c\n", undefined],
    ["a quote", '1,"a",b\n', undefined],
    ["CR LF", "1,a,b\r\n", undefined],
    ["a lone CR", "1,a\rb,c\n", undefined],
    ["blanks at the beginning", " 1,a,b\n", undefined],
    ["a line of blanks", "1,a,b\n  \n", undefined],
    ["a header, which does not begin with a digit", "sale_id,a,b\n", undefined],
    ["a total", "Total,a,b\n", undefined],
    ["a byte order mark", "\ufeff1,a,b\n", undefined],
    ["other digits", "٣,a,b\n", undefined],
    ["a replacement character", "1,\ufffd,b\n", undefined],
    ["invalid UTF-8", joinBytes(["1,a,", Uint8Array.of(0xd0), "\n"]), undefined],
  ];
  for (const [what, content, lines] of cases) {
    it(`returns ${lines && `${lines.rows} rows`} for ${what}`, () => {
      assertEquals(countVerbatimLines(joinBytes([content]), 3), lines);
    });
  }
});
