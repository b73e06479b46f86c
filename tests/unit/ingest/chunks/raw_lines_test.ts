import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { RawLines } from "../../../../lib/ingest/chunks/raw_lines.ts";

function toText(lines: RawLines): string {
  return new TextDecoder().decode(lines.toBytes());
}

describe("RawLines", () => {
  const rows: [what: string, fields: string[], line: string][] = [
    ["values unchanged", ["1", " 2", "x", "", "д", "1.5", "N"], "1, 2,x,,д,1.5,N"],
    ["commas and quotes in quotes", ["1 234,50", 'say "x"', '"'], '"1 234,50","say ""x""",""""'],
    ["line breaks as spaces", ["1\r\n1", "2\n\n2", "3\r3", "4"], "1 1,2 2,3 3,4"],
    ["line breaks beside commas and quotes", ['a\n"b",\r\nc'], '"a ""b"", c"'],
  ];
  for (const [what, fields, line] of rows) {
    it(`formats ${what}`, () => {
      const lines = new RawLines();
      lines.add(fields, 1);
      assertEquals([toText(lines), lines.rows], [`${line}\n`, 1]);
    });
  }

  const malformed: [what: string, text: string, line: string][] = [
    ["too few values", "1,a\nb", '"1,a b"'],
    ["too many values", '1,2,3,4,5,6,7,a "8"', '"1,2,3,4,5,6,7,a ""8"""'],
    ["not json", "not json", '"not json"'],
  ];
  for (const [what, text, line] of malformed) {
    it(`writes ${what} as one value`, () => {
      const lines = new RawLines();
      lines.addMalformed(text, 1);
      assertEquals([toText(lines), lines.rows], [`${line}\n`, 1]);
    });
  }

  it("keeps line numbers by blank lines, which are no rows", () => {
    const lines = new RawLines();
    lines.add(["a", "b"], 3);
    lines.add(["c", "d"], 4);
    lines.addMalformed("e", 6);
    lines.advance(8);
    assertEquals([toText(lines), lines.rows], ['\n\na,b\nc,d\n\n"e"\n\n', 3]);
  });
});
