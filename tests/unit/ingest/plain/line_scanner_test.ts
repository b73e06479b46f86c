import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { CsvDialect } from "../../../../lib/ingest/formats/csv_records.ts";
import { LineScanner } from "../../../../lib/ingest/plain/line_scanner.ts";

const CSV: CsvDialect = { delimiter: ",", quote: "csv" };

function scan(bytes: string | Uint8Array, dialect = CSV, encoding = "utf-8") {
  const line = LineScanner.create(3, dialect, encoding)!;
  line.open(typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes);
  const kind = line.scan(0);
  if (kind !== "plain") return kind;
  const decoder = new TextDecoder(encoding, { ignoreBOM: true });
  const values = Array.from(
    line.starts,
    (start, index) => decoder.decode(line.bytes.subarray(start, line.ends[index]!)),
  );
  return { values, next: line.next };
}

describe("LineScanner", () => {
  it("finds the values of plain lines, and where the next line begins", () => {
    assertEquals(scan("a,bc,\nnext"), { values: ["a", "bc", ""], next: 6 });
    assertEquals(scan("a,b,c\r\n"), { values: ["a", "b", "c"], next: 7 });
    assertEquals(scan(",,\n"), { values: ["", "", ""], next: 3 });
    assertEquals(scan("a, b ,д\n"), { values: ["a", " b ", "д"], next: 9 });
  });

  it("takes quotes around whole values off", () => {
    assertEquals(scan('"a,b","",c\n'), { values: ["a,b", "", "c"], next: 11 });
    assertEquals(scan('a,b,"c"\r\n'), { values: ["a", "b", "c"], next: 9 });
    assertEquals(scan('"a",b,c\n', { delimiter: ",", quote: "none" }), {
      values: ['"a"', "b", "c"],
      next: 8,
    });
  });

  it("knows blank lines", () => {
    assertEquals([scan("\na"), scan("\r\na")], ["blank", "blank"]);
  });

  const others: [what: string, text: string, dialect?: CsvDialect][] = [
    ["has too few values", "a,b\n"],
    ["has too many values", "a,b,c,d\n"],
    ["has no end", "a,b,c"],
    ["has a quote in a value", 'a,b"c,d\n'],
    ["has a doubled quote", '"a""b",c,d\n'],
    ["has a quote that does not end", '"a,b\nc",d,e\n'],
    ["has blanks behind a quote", '"a" ,b,c\n'],
    ["has a quoted value without an end", '"a'],
    ["has quotes by lines", '"a"\tb\tc\n', { delimiter: "\t", quote: "line" }],
    ["begins with a blank", " ,b,c\n"],
    ["begins with a no-break space", "\u00a0,b,c\n"],
    ["begins with a byte order mark", "\ufeffa,b,c\n"],
    ["begins with a tab, so that it may be blank", "\t\t\n", { delimiter: "\t", quote: "none" }],
    ["has a carriage return only", "\ra,b,c\n"],
  ];
  for (const [what, text, dialect] of others) {
    it(`leaves a line that ${what} to be read as text`, () => assertEquals(scan(text, dialect), "other"));
  }

  it("reads single-byte encodings, whose blanks are other bytes", () => {
    const cyrillic = Uint8Array.of(0xd1, 0x2c, 0xc2, 0x2c, 0xef, 10);
    assertEquals(scan(cyrillic, CSV, "windows-1251"), { values: ["С", "В", "п"], next: 6 });
    assertEquals(scan(Uint8Array.of(0xa0, 0x2c, 0xc2, 0x2c, 0xef, 10), CSV, "windows-1251"), "other");
  });

  it("reports values that may begin with a blank", () => {
    const line = LineScanner.create(3, CSV, "utf-8")!;
    line.open(new TextEncoder().encode("a, b,\u00a0\n"));
    line.scan(0);
    assertEquals([0, 1, 2].map((column) => line.mayBeginBlank(column)), [false, true, true]);
  });

  it("does not read encodings in which a delimiter may be a part of a character", () => {
    for (const encoding of ["shift_jis", "gb18030", "big5", "euc-kr", "utf-16le"]) {
      assertEquals(LineScanner.create(3, CSV, encoding), undefined);
    }
    assertEquals(LineScanner.create(3, { delimiter: "§", quote: "csv" }, "utf-8"), undefined);
  });
});
