import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { parse } from "csv-parse";
import fc from "fast-check";
import {
  type CsvDialect,
  CsvReader,
  MAX_RECORD_CHARACTERS,
  type QuoteRemark,
} from "../../../../lib/ingest/formats/csv_records.ts";

type Seen = [values: string[] | string, line: number, lines: number];

/** Reads a whole text; what cannot be read is given as its text. */
function read(
  text: string,
  { columns = 0, isLast = true, ...dialect }: Partial<CsvDialect> & { columns?: number; isLast?: boolean } =
    {},
): { records: Seen[]; remarks: QuoteRemark[]; rest: string; line: number } {
  const reader = new CsvReader({ delimiter: ",", quote: "csv", ...dialect });
  reader.columns = columns;
  const records: Seen[] = [];
  const end = reader.read(text, 1, isLast, (values, text, line, lines) => {
    records.push([values ?? text, line, lines]);
  });
  return { records, remarks: reader.remarks, ...end };
}

describe("CsvReader", () => {
  it("reads lines, whatever their ends, and leaves blank ones out", () => {
    assertEquals(read("a,b\r\n\r\n1, x \n   \n\ufeff3,4").records, [
      [["a", "b"], 1, 1],
      [["1", " x "], 3, 1],
      [["3", "4"], 5, 1],
    ]);
  });

  it("reads quoted values with delimiters, quotes and line breaks", () => {
    const { records, remarks } = read('1,"a, ""b""",2\n3, "c" ,4\n5,"d\r\ne\n\nf",6\n7,g,8\n');
    assertEquals(records, [
      [["1", 'a, "b"', "2"], 1, 1],
      [["3", "c", "4"], 2, 1],
      [["5", "d\r\ne\n\nf", "6"], 3, 4],
      [["7", "g", "8"], 7, 1],
    ]);
    assertEquals(remarks, [{ kind: "spans", line: 3, lastLine: 6 }]);
  });

  it("reads a quoted value of several lines behind a byte order mark", () => {
    assertEquals(read('\ufeff"order\nno",b\n1,2\n').records, [
      [["order\nno", "b"], 1, 2],
      [["1", "2"], 3, 1],
    ]);
  });

  it("takes quotes elsewhere for characters", () => {
    assertEquals(read('1,TV 27",2\n3,"a "b" c",4\n').records.map(([values]) => values), [
      ["1", 'TV 27"', "2"],
      ["3", 'a "b" c', "4"],
    ]);
  });

  it("reads quotes as Spark writes them", () => {
    const { records, remarks } = read('1,"TV 27\\"",2\n3,"Fork \\"steel\\" big",4\n5,"C:\\",6\n', {
      columns: 3,
    });
    assertEquals(records.map(([values]) => values), [
      ["1", 'TV 27"', "2"],
      ["3", 'Fork "steel" big', "4"],
      ["5", "C:\\", "6"],
    ]);
    assertEquals(remarks, []);
  });

  it("takes a quote without an end for a character when the lines are records without it", () => {
    const text = '1,"27 inch,2\n3,b,4\n5,"c",6\n7,"end,8\n';
    const { records, remarks } = read(text, { columns: 3 });
    assertEquals(records.map(([values]) => values), [
      ["1", '"27 inch', "2"],
      ["3", "b", "4"],
      ["5", "c", "6"],
      ["7", '"end', "8"],
    ]);
    assertEquals(remarks, [{ kind: "lone", line: 1, lastLine: 1 }, { kind: "lone", line: 4, lastLine: 4 }]);
  });

  it("knows a record below a quote without an end by its own quotes, however they are escaped", () => {
    for (const name of ['"a ""b"" c"', '"a \\"b\\" c"', '""""', ' "x,""" ']) {
      const { records, remarks } = read(`1,"open,2\n3,${name},4\n5,b,6\n`, { columns: 3 });
      assertEquals(records.map(([values]) => values[0]), ["1", "3", "5"], name);
      assertEquals(remarks, [{ kind: "lone", line: 1, lastLine: 1 }]);
    }
    // The end of the value above is not in the place of a record's quote.
    assertEquals(read('1,"a\n3,b",4,5"\n6,c,7\n', { columns: 3 }).records.length, 2);
  });

  it("keeps 30,000 records of which two have a stray quote", () => {
    const lines = Array.from({ length: 30_000 }, (_, index) => `${index + 1},Lamp,100.00,North`);
    lines[99] = '100,"Lamp,100.00,North';
    lines[19_999] = '20000,Lamp",100.00,North';
    const { records, remarks } = read(lines.join("\n"), { columns: 4 });
    assertEquals([records.length, records[99]?.[0], records[19_999]?.[0]], [
      30_000,
      ["100", '"Lamp', "100.00", "North"],
      ["20000", 'Lamp"', "100.00", "North"],
    ]);
    assertEquals(remarks, [{ kind: "lone", line: 100, lastLine: 100 }]);
  });

  it("gives a record of another length than the header's as its text", () => {
    assertEquals(read("1,2\n1,2,3,4\n1,2,3,, \n", { columns: 3 }).records, [
      ["1,2", 1, 1],
      ["1,2,3,4", 2, 1],
      [["1", "2", "3"], 3, 1],
    ]);
  });

  it("gives up a quote that is not closed after a while, and goes on behind its line", () => {
    const text = `1,"open\n${"x\n".repeat(MAX_RECORD_CHARACTERS)}2,b,3\n`;
    const { records, remarks } = read(text, { columns: 3 });
    assertEquals(records[0], ['1,"open', 1, 1]);
    assertEquals(records.at(-1)?.[0], ["2", "b", "3"]);
    assertEquals(records.length, MAX_RECORD_CHARACTERS + 2);
    assertEquals(remarks, [{ kind: "lone", line: 1, lastLine: 1 }]);
  });

  it("quotes in tab-separated files only what ends with a quote on its line", () => {
    const { records, remarks } = read('1\t"27 inch\t3\n2\t"a ""b"""\t3\n3\tc"\t4\n', {
      delimiter: "\t",
      quote: "line",
      columns: 3,
    });
    assertEquals(records.map(([values]) => values), [["1", '"27 inch', "3"], ["2", 'a "b"', "3"], [
      "3",
      'c"',
      "4",
    ]]);
    assertEquals(remarks, []);
  });

  it("knows no quotes when there are none", () => {
    assertEquals(read('"a,b"\n', { quote: "none" }).records, [[['"a', 'b"'], 1, 1]]);
  });

  it("leaves what the text cuts off", () => {
    assertEquals(read("1,2\n3,", { isLast: false }), {
      records: [[["1", "2"], 1, 1]],
      remarks: [],
      rest: "3,",
      line: 2,
    });
    const quoted = read('1,2,3\n4,"a\n5,6\n', { isLast: false, columns: 3 });
    assertEquals([quoted.records.length, quoted.rest, quoted.line], [1, '4,"a\n5,6\n', 2]);
    const undecided = read('1,2,3\n4,"a,6\n', { isLast: false, columns: 3 });
    assertEquals([undecided.records.length, undecided.rest, undecided.line], [1, '4,"a,6\n', 2]);
  });

  it("reads the same in parts of any size", () => {
    const text = '1,2,3\n4,"a\nb",6\n\n7,"lone,9\n10,11,12\n13,"x ""y""",15\n16,17\n';
    const whole = read(text, { columns: 3 });
    for (let size = 1; size <= text.length; size++) {
      const reader = new CsvReader({ delimiter: ",", quote: "csv" });
      reader.columns = 3;
      const records: Seen[] = [];
      let [rest, line] = ["", 1];
      for (let at = 0; at < text.length; at += size) {
        const isLast = at + size >= text.length;
        ({ rest, line } = reader.read(
          rest + text.slice(at, at + size),
          line,
          isLast,
          (values, text, line, lines) => {
            records.push([values ?? text, line, lines]);
          },
        ));
      }
      assertEquals({ records, remarks: reader.remarks, rest, line }, whole, `in parts of ${size}`);
    }
  });

  it("reads what a library reads, when all quotes are in their places", async () => {
    const value = fc.string({ unit: fc.constantFrom("a", '"', ",", "\n", ";", " ", "1"), maxLength: 5 });
    const rows = fc.array(fc.array(value, { minLength: 2, maxLength: 2 }), { minLength: 1, maxLength: 5 });
    await fc.assert(fc.asyncProperty(rows, async (rows) => {
      const text = rows.map((row) => row.map((each) => `"${each.replaceAll('"', '""')}"`).join(",")).join(
        "\n",
      );
      const { records } = read(text, { columns: 2 });
      assertEquals(records.map(([values]) => values), await Array.fromAsync(parse(text)));
    }));
  });
});
