import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ColumnCopier, sourceOfMap } from "../../../../lib/ingest/source/column_copier.ts";
import { HeaderNames, neededColumns } from "../../../../lib/ingest/source/header_names.ts";
import { nothingFound } from "../../../../lib/ingest/source/record_mapper.ts";
import { SALE_COLUMNS } from "../../../../lib/domain/sale.ts";

const SOURCE = sourceOfMap({ sale_id: "Order No", region: "City" }, undefined);
const HEADER = [
  "note",
  "City",
  "sale_amount",
  "sale_date",
  "quantity",
  "product_id",
  "customer_id",
  "order no",
];

describe("sourceOfMap()", () => {
  it("names the columns that --map gives, or ours", () => {
    assertEquals(neededColumns(SOURCE).map(({ name }) => name), [
      "Order No",
      ...SALE_COLUMNS.slice(1, -1),
      "City",
    ]);
  });

  it("holds the encoding, if there is one", () => {
    assertEquals(SOURCE.format, {});
    assertEquals(sourceOfMap({}, "cp1251").format, { encoding: "cp1251" });
  });
});

describe("ColumnCopier", () => {
  it("copies our columns in our order, unchanged", () => {
    const copier = new ColumnCopier(SOURCE, new HeaderNames(HEADER));
    const values = ["x", " Юг", "-1 234,50", "24.11.2026", "1e3", "A-1", "", "Total"];
    assertEquals(copier.map(values, 2), ["Total", "", "A-1", "1e3", "24.11.2026", "-1 234,50", " Юг"]);
    assertEquals([copier.excluded.size, copier.products.size], [0, 0]);
    assertEquals([copier.within, copier.fillDown], [[], undefined]);
  });

  it("knows the header again, and counts it beside what was found before", () => {
    const found = nothingFound();
    const copier = new ColumnCopier(SOURCE, new HeaderNames(HEADER), found);
    assertEquals([HEADER, HEADER.toReversed(), HEADER.with(0, "x")].map((each) => copier.isHeader(each)), [
      true,
      true,
      false,
    ]);
    copier.excludeHeader(5);
    new ColumnCopier(SOURCE, new HeaderNames(HEADER.toReversed()), found).excludeHeader(9);
    assertEquals([...found.excluded], [["header", { lines: 2, cents: 0n, firstLine: 5 }]]);
  });
});
