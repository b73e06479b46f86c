import { assert, assertEquals } from "@std/assert";
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

  it("takes rows of any size", () => {
    const lines = new RawLines();
    const rows: string[][] = [];
    for (let length = 0; length < 500; length++) {
      rows.push(["x".repeat(length), "", "д".repeat(length), "日🙂".repeat(length)]);
    }
    rows.push(["y".repeat(1 << 20), ",".repeat(1 << 20), "日".repeat(1 << 20), ""]);
    rows.forEach((fields, index) => lines.add(fields, index + 1));
    const expected = rows.map((fields) =>
      fields.map((field) => field.includes(",") ? `"${field}"` : field).join(",") + "\n"
    ).join("");
    // Not by assertEquals(), whose differences of large texts take minutes.
    assert(toText(lines) === expected);
  });

  it("writes what is no text in UTF-8 as the replacement character", () => {
    const lines = new RawLines();
    lines.add(["a\ud83d", "b"], 1);
    assertEquals(toText(lines), "a\ufffd,b\n");
  });
});
