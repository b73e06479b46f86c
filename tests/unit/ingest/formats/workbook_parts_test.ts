import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { readWorkbook, unescapeText } from "../../../../lib/ingest/formats/workbook_parts.ts";
import { ZipArchive } from "../../../../lib/ingest/formats/zip_archive.ts";

const path = new URL("data/xlsxwriter.xlsx", import.meta.url).pathname;

describe("readWorkbook()", () => {
  it("reads sheets, the first day, styles and shared texts", async () => {
    using archive = await ZipArchive.open(path, "a.xlsx");
    const workbook = await readWorkbook(archive);
    assertEquals(workbook.sheets, [{ name: "Отчёт", path: "xl/worksheets/sheet1.xml", hasCells: true }]);
    assertEquals([workbook.is1904, workbook.dateStyles], [true, [false, true, false]]);
    assertEquals(workbook.sharedTexts.slice(0, 4), ["Номер", "Дата", "Сумма", "№1"]);
  });
});

describe("unescapeText()", () => {
  it("replaces the escapes of workbooks", () => {
    const cases: [text: string, plain: string][] = [
      ["a_x000D_\nb", "a\r\nb"],
      ["_x0001_", "\x01"],
      ["_x005F_x000D_", "_x000D_"],
      ["_x00_ _y", "_x00_ _y"],
      ["plain", "plain"],
    ];
    for (const [text, plain] of cases) assertEquals(unescapeText(text), plain);
  });
});
