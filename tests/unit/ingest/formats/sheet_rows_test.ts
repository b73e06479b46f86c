import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { SaxesParser } from "saxes";
import { type SheetRow, SheetRows } from "../../../../lib/ingest/formats/sheet_rows.ts";

/** Reads the content of `<sheetData>`. Style 1 shows dates; the shared texts are `zero` and `one`. */
function read(cells: string, { is1904 = false, mark = "." as "." | "," } = {}): SheetRow[] {
  const workbook = { is1904, dateStyles: [false, true], sharedTexts: ["zero", "one"] };
  const rows = new SheetRows(workbook, mark);
  const parser = new SaxesParser<{ xmlns: false }>({ xmlns: false });
  parser.on("opentag", ({ name, attributes }) => rows.open(name, attributes));
  parser.on("closetag", ({ name }) => rows.close(name));
  parser.on("text", (text) => rows.text(text));
  parser.write(
    `<worksheet><dimension ref="A1:XFD1048576"/><sheetData>${cells}</sheetData><c><v>9</v></c></worksheet>`,
  );
  return rows.take();
}

/** Returns the text of one cell. */
function cell(content: string, options = {}): string | undefined {
  return read(`<row>${content}</row>`, options)[0]?.values[0];
}

describe("SheetRows", () => {
  it("puts cells where they belong, and leaves rows without values out", () => {
    assertEquals(
      read(`
        <row r="2"><c r="B2"><v>1</v></c><c r="AA2"><v>2</v></c><c r="AB2" s="1"/></row>
        <row r="3"/><row r="4"><c r="A4"/></row>
        <row r="9"><c r="A9"><v>3</v></c></row>`),
      [
        { values: ["", "1", ...Array(24).fill(""), "2"], line: 2 },
        { values: ["3"], line: 9 },
      ],
    );
  });

  it("counts rows and cells that do not say where they are", () => {
    assertEquals(
      read(
        '<row><c><v>1</v></c><c/><c><v>2</v></c></row><row r="5"><c r="C5"><v>3</v></c><c><v>4</v></c></row>',
      ),
      [
        { values: ["1", "", "2"], line: 1 },
        { values: ["", "", "3", "4"], line: 5 },
      ],
    );
  });

  const cells: [what: string, content: string, text: string | undefined][] = [
    ["a whole number", "<c><v>17</v></c>", "17"],
    ["an id of 20 digits", "<c><v>12345678901234567890</v></c>", "12345678901234567890"],
    ["a number as Excel writes it", "<c><v>8270.3700000000008</v></c>", "8270.37"],
    ["a sum of decimals", "<c><v>0.30000000000000004</v></c>", "0.30000000000000004"],
    ["an exponent", "<c><v>1.2E+3</v></c>", "1200"],
    ["a small number", "<c t='n'><v>1E-7</v></c>", "0.0000001"],
    ["a number that is none", "<c><v>oops</v></c>", "oops"],
    ["no number", "<c><v></v></c>", undefined],
    ["a date", '<c s="1"><v>46341</v></c>', "2026-11-15"],
    ["a date and time", '<c s="1"><v>46341.5</v></c>', "2026-11-15 12:00:00"],
    ["a style that shows no dates", '<c s="0"><v>46341</v></c>', "46341"],
    ["a style that there is not", '<c s="7"><v>46341</v></c>', "46341"],
    ["a date in ISO 8601", '<c t="d"><v>2026-11-15T00:00:00</v></c>', "2026-11-15"],
    ["a time in ISO 8601", '<c t="d"><v>2026-11-15T12:30:00.000Z</v></c>', "2026-11-15 12:30:00"],
    ["another date", '<c t="d"><v>15 Nov</v></c>', "15 Nov"],
    ["a shared text", '<c t="s"><v>1</v></c>', "one"],
    ["true", '<c t="b"><v>1</v></c>', "true"],
    ["false", '<c t="b"><v>0</v></c>', "false"],
    ["an error", '<c t="e"><v>#N/A</v></c>', "#N/A"],
    ["a calculated text", '<c t="str"><f>A1&amp;"x"</f><v> x_x000D_ </v></c>', " x\r "],
    ["a calculated empty text", '<c t="str"><f>""</f><v></v></c>', undefined],
    ["a calculated number", "<c><f>1+1</f><v>2</v></c>", "2"],
    ["a formula that was not calculated", "<c><f>A2*B2</f></c>", "=A2*B2"],
    ["another", "<c><f>A2*B2</f><v></v></c>", "=A2*B2"],
    ["a text of its own", '<c t="inlineStr"><is><t> a </t></is></c>', " a "],
    [
      "a text in pieces",
      '<c t="inlineStr"><is><r><t>a</t></r><r><t>b</t></r><rPh><t>no</t></rPh></is></c>',
      "ab",
    ],
    ["a text in a workbook's escapes", '<c t="inlineStr"><is><t>a_x005F_x0041_</t></is></c>', "a_x0041_"],
  ];
  for (const [what, content, text] of cells) it(`reads ${what}`, () => assertEquals(cell(content), text));

  it("writes numbers with a decimal comma when told to", () => {
    assertEquals(cell("<c><v>-0.5</v></c>", { mark: "," }), "-0,5");
    assertEquals(cell('<c s="1"><v>-0.5</v></c>', { mark: "," }), "-0,5");
  });

  it("counts days from 1904 when the workbook does", () => {
    assertEquals(cell('<c s="1"><v>44879</v></c>', { is1904: true }), "2026-11-15");
  });

  const mistakes: [what: string, content: string, message: string][] = [
    ["a shared text that there is not", '<row><c t="s"><v>2</v></c></row>', "no shared text 2"],
    ["a cell outside", '<row><c r="XFE1"><v>1</v></c></row>', "no cell XFE1"],
    ["a cell without a column", '<row><c r="1"><v>1</v></c></row>', "no cell 1"],
    ["a row outside", '<row r="1048577"/>', "row 1048577 follows row 0"],
    ["rows out of order", '<row r="2"/><row r="2"/>', "row 2 follows row 2"],
    ["a row without a number", '<row r="x"/>', "row x follows row 0"],
  ];
  for (const [what, content, message] of mistakes) {
    it(`fails for ${what}`, () => {
      assertThrows(() => read(content), Error, message);
    });
  }
});
