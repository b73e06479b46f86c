import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { findHeaderRow, findTable } from "../../../../lib/ingest/suggest/find_table.ts";

describe("findTable()", () => {
  it("finds header and delimiter below titles", () => {
    const text = "Отчёт; за неделю\nПериод: 1, 2, 3\n\nЗаказ;Дата;Артикул\n1;2026-11-10;A\n2;x\n";
    const { header, delimiter, rows } = findTable(text, true, 10)!;
    assertEquals([header.line, header.names, delimiter], [4, ["Заказ", "Дата", "Артикул"], ";"]);
    assertEquals(rows, [["1", "2026-11-10", "A"], undefined]);
  });

  it("keeps quotes in tab-separated files, and stops at the wanted number of rows", () => {
    const { rows } = findTable('sku\tquantity\n"A\t1\nB\t2\nC\t3\n', true, 2)!;
    assertEquals(rows, [['"A', "1"], ["B", "2"]]);
  });

  it("takes the delimiter that also fits the lines below", () => {
    const { delimiter, rows } = findTable(
      "Номер, №;Клиент, код;Сумма, руб.\n1;11;1234,56\n2;12;100,00\n",
      true,
      10,
    )!;
    assertEquals([delimiter, rows.length], [";", 2]);
  });

  it("finds none in numbers alone", () => {
    assertEquals(findTable("1,2\n3,4\n", true, 10), undefined);
  });
});

describe("findHeaderRow()", () => {
  it("takes the first of equal lines, and none behind the first hundred", () => {
    const row = (line: number) => ({ values: ["Order", "SKU"], line });
    assertEquals(findHeaderRow([row(2), row(3)])?.line, 2);
    assertEquals(findHeaderRow([row(101)]), undefined);
  });
});
