import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { SalesflowError } from "../../../../lib/console/errors.ts";
import { UNCHECKED_OUTPUT_BYTES } from "../../../../lib/ingest/formats/compression_limit.ts";
import { readSheet, type WorkbookOptions } from "../../../../lib/ingest/formats/workbook.ts";
import { zip, type ZipFile } from "./zip_writer.ts";

const DATA = new URL("data/", import.meta.url);

let folder: string;
beforeAll(async () => {
  folder = await Deno.makeTempDir();
});
afterAll(() => Deno.remove(folder, { recursive: true }));

/** Returns all rows as `line: value|value`. */
async function read(bytes: Uint8Array, options: WorkbookOptions = {}): Promise<string[]> {
  const path = `${folder}/${crypto.randomUUID()}.xlsx`;
  await Deno.writeFile(path, bytes);
  const batches = await Array.fromAsync(readSheet({ path, name: "a.xlsx" }, options));
  return batches.flat().map(({ values, line }) => `${line}: ${values.join("|")}`);
}

const RELATIONSHIPS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

/** Returns the parts of a workbook with one sheet; parts of the same path replace them. */
function parts(cells: string, others: Record<string, string> = {}): ZipFile[] {
  const files = {
    "[Content_Types].xml": "<Types/>",
    "xl/workbook.xml":
      `<workbook xmlns:r="r"><sheets><sheet name="Orders" sheetId="1" r:id="a"/></sheets></workbook>`,
    "xl/_rels/workbook.xml.rels":
      `<Relationships><Relationship Id="a" Type="${RELATIONSHIPS}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`,
    "xl/worksheets/sheet1.xml": `<worksheet><sheetData>${cells}</sheetData></worksheet>`,
    ...others,
  };
  return Object.entries(files).map(([path, content]) => ({ path, content }));
}

const workbook = (cells: string, others: Record<string, string> = {}) => zip(parts(cells, others));

describe("readSheet()", () => {
  it("reads a workbook of openpyxl", async () => {
    const bytes = await Deno.readFile(new URL("openpyxl.xlsx", DATA));
    assertEquals(await read(bytes), [
      "1: Order|Date|Price|Paid|Note",
      "2: A-1|2026-11-15|19.99|true|a & b",
      "3: A-2|2026-11-15 21:30:07|0.3|false|plain bold",
      "5: 12345678901234570000|09:05:00|0.0000001||=C2*2",
      "6: merged||||#N/A",
    ]);
    assertEquals((await read(bytes, { decimal: "," }))[2], "3: A-2|2026-11-15 21:30:07|0,3|false|plain bold");
  });

  it("reads a workbook of XlsxWriter, with days from 1904", async () => {
    assertEquals(await read(await Deno.readFile(new URL("xlsxwriter.xlsx", DATA))), [
      "2: |Номер|Дата|Сумма",
      "3: |№1|2026-11-15 21:30:07|1234.5",
      "4: |||ab",
      "5: |||#DIV/0!",
      "6: |||true",
      "7: |rich text",
      "8: |line\nbreak\tand\x01control",
    ]);
  });

  it("finds a sheet by its name or number, hidden or not", async () => {
    const bytes = await Deno.readFile(new URL("openpyxl.xlsx", DATA));
    const cases: [sheet: string, row: string][] = [
      ["Hidden", "1: secret"],
      [" hidden ", "1: secret"],
      ["3", "1: secret"],
      ["2", "1: named as a number"],
      ["1", "1: Order|Date|Price|Paid|Note"],
    ];
    for (const [sheet, row] of cases) assertEquals((await read(bytes, { sheet }))[0], row);
  });

  it("lists the sheets when there is none of the name, or it has no cells", async () => {
    const bytes = await Deno.readFile(new URL("openpyxl.xlsx", DATA));
    for (
      const [sheet, problem] of [["Sales", "is not there"], ["0", "is not there"], ["5", "is not there"], [
        "Chart",
        "has no cells",
      ]] as const
    ) {
      const error = await assertRejects(
        () => read(bytes, { sheet }),
        SalesflowError,
        `a.xlsx: the sheet ${sheet} ${problem}. Its sheets are: Orders, 2, Hidden`,
      );
      assertEquals([error.exitCode, error.stage], [2, "ingest"]);
      assertStringIncludes(error.remedy!, "format: sheet");
    }
  });

  it("reads a workbook as small as can be", async () => {
    assertEquals(await read(workbook('<row r="7"><c r="B7"><v>1</v></c></row>')), ["7: |1"]);
    assertEquals(await read(workbook("")), []);
  });

  it("reads prefixes, absolute and odd paths as programs write them", async () => {
    const bytes = zip([
      {
        path: "_rels\\.rels",
        content:
          `<Relationships><Relationship Id="x" Type="y/officeDocument" Target="/Book.xml"/></Relationships>`,
      },
      {
        path: "Book.xml",
        content:
          `<x:workbook xmlns:x="x" xmlns:q="q"><x:sheets><x:sheet q:id="a" name="S"/></x:sheets></x:workbook>`,
      },
      {
        path: "_rels/Book.xml.rels",
        content: `<Relationships><Relationship Id="a" Type="y/worksheet" Target="../Sheets/S.XML"/>
          <Relationship Id="b" Type="y/externalLink" Target="file:///etc/passwd" TargetMode="External"/></Relationships>`,
      },
      {
        path: "sheets/s.xml",
        content:
          `<x:worksheet xmlns:x="x"><x:sheetData><x:row><x:c><x:v>1</x:v></x:c></x:row></x:sheetData></x:worksheet>`,
      },
    ]);
    assertEquals(await read(bytes), ["1: 1"]);
  });

  it("reads phonetic texts and formats of cells that are not its own as nothing", async () => {
    const bytes = workbook(
      '<row><c t="s"><v>0</v></c><c s="0"><v>46341</v></c><c s="1"><v>46341</v></c></row>',
      {
        "xl/_rels/workbook.xml.rels": `<Relationships>
        <Relationship Id="a" Type="y/worksheet" Target="worksheets/sheet1.xml"/>
        <Relationship Id="b" Type="y/styles" Target="styles.xml"/>
        <Relationship Id="c" Type="y/sharedStrings" Target="sharedStrings.xml"/></Relationships>`,
        "xl/styles.xml": `<styleSheet><numFmts><numFmt numFmtId="164" formatCode="dd.mm.yyyy"/></numFmts>
        <cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf/><xf numFmtId="164"/></cellXfs>
        <dxfs><dxf><numFmt numFmtId="164" formatCode="0.00"/></dxf></dxfs></styleSheet>`,
        "xl/sharedStrings.xml": `<sst><si><t>東京</t><rPh><t>トウキョウ</t></rPh></si></sst>`,
      },
    );
    assertEquals(await read(bytes), ["1: 東京|46341|2026-11-15"]);
  });

  it("takes no memory for the size that a sheet claims to have", async () => {
    const cells =
      '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>2</v></c></row>';
    const rows = await read(workbook(cells, {
      "xl/worksheets/sheet1.xml":
        `<worksheet><dimension ref="A1:XFD1048576"/><sheetData>${cells}</sheetData></worksheet>`,
    }));
    assertEquals(rows, ["1: 1", `1048576: ${"|".repeat(16_383)}2`]);
  });

  const laughs = Array.from({ length: 9 }, (_, at) => `<!ENTITY l${at + 1} "${`&l${at};`.repeat(10)}">`).join(
    "",
  );
  const attacks: [what: string, sheet: string][] = [
    ["entities within entities", `<!DOCTYPE x [<!ENTITY l0 "ha">${laughs}]><worksheet>&l9;</worksheet>`],
    [
      "an entity from outside",
      `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><worksheet>&e;</worksheet>`,
    ],
    ["elements that do not fit", "<worksheet><sheetData></worksheet>"],
    ["half a sheet", "<worksheet><sheetData><row>"],
    ["no XML", "a,b\n1,2\n"],
    ["a cell outside", '<worksheet><sheetData><row><c r="ZZZZ1"><v>1</v></c></row></sheetData></worksheet>'],
    [
      "a text that there is not",
      '<worksheet><sheetData><row><c t="s"><v>9</v></c></row></sheetData></worksheet>',
    ],
  ];
  for (const [what, sheet] of attacks) {
    it(`refuses a sheet with ${what}`, async () => {
      const error = await assertRejects(
        () => read(workbook("", { "xl/worksheets/sheet1.xml": sheet })),
        SalesflowError,
        "a.xlsx is damaged: it cannot be read as a workbook",
      );
      assertEquals([error.exitCode, error.stage, error.remedy], [
        2,
        "ingest",
        "Copy or export the file again.",
      ]);
    });
  }

  it("refuses a workbook that lacks a part", async () => {
    const whole = parts("");
    for (const missing of ["xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/worksheets/sheet1.xml"]) {
      const bytes = zip(whole.filter(({ path }) => path !== missing));
      await assertRejects(() => read(bytes), SalesflowError, "a.xlsx is damaged");
    }
    const empty = workbook("", { "xl/workbook.xml": "<workbook/>" });
    await assertRejects(() => read(empty), SalesflowError, "the first sheet has no cells");
  });

  it("refuses a bomb", async () => {
    const bytes = workbook(`<row>${"<c/>".repeat(UNCHECKED_OUTPUT_BYTES)}</row>`);
    await assertRejects(
      () => read(bytes),
      SalesflowError,
      "a.xlsx decompresses to more than 100 times its size",
    );
  });

  it("yields rows before it has read all of them", async () => {
    const cells = Array.from({ length: 20_000 }, (_, at) => `<row><c><v>${at * 7919 % 10_007}</v></c></row>`)
      .join("");
    const path = `${folder}/many.xlsx`;
    await Deno.writeFile(path, workbook(cells));
    const sizes = (await Array.fromAsync(readSheet({ path, name: "a.xlsx" }))).map(({ length }) => length);
    assert(sizes.length > 3 && Math.max(...sizes) < 10_000, String(sizes));
    assertEquals(sizes.reduce((sum, size) => sum + size), 20_000);
  });

  it("fails with a message wherever the file is cut or changed", async () => {
    const bytes = await Deno.readFile(new URL("openpyxl.xlsx", DATA));
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.nat(255), async (at, value) => {
        await assertRejects(() => read(bytes.subarray(0, at)), SalesflowError, "a.xlsx");
        try {
          await read(Uint8Array.from(bytes).with(at, value));
        } catch (error) {
          assert(error instanceof SalesflowError && error.message.includes("a.xlsx"), String(error));
        }
      }),
      { numRuns: 60 },
    );
  });

  it("fails with a message wherever the XML of a part is changed", async () => {
    const [shared, styles] = ["xl/sharedStrings.xml", "xl/styles.xml"];
    const whole = parts(
      '<row r="1"><c r="A1" t="s" s="1"><v>0</v></c><c r="B1" s="1"><v>46341</v></c></row>',
      {
        "xl/_rels/workbook.xml.rels": `<Relationships>
        <Relationship Id="a" Type="y/worksheet" Target="worksheets/sheet1.xml"/>
        <Relationship Id="b" Type="y/styles" Target="styles.xml"/>
        <Relationship Id="c" Type="y/sharedStrings" Target="sharedStrings.xml"/></Relationships>`,
        [shared]: "<sst><si><t>a</t></si></sst>",
        [styles]: '<styleSheet><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>',
      },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.nat(whole.length - 1),
        fc.nat(400),
        fc.constantFrom(..."<>&\"'/=x0\0Ы"),
        async (part, at, character) => {
          const changed = whole.map((file, index) => {
            const content = file.content as string;
            const position = at % content.length;
            return index === part
              ? { ...file, content: content.slice(0, position) + character + content.slice(position + 1) }
              : file;
          });
          try {
            await read(zip(changed));
          } catch (error) {
            assert(error instanceof SalesflowError && error.message.includes("a.xlsx"), String(error));
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});
