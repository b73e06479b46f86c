import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { HeaderNames } from "../../../../lib/ingest/source/header_names.ts";
import { RecordMapper } from "../../../../lib/ingest/source/record_mapper.ts";
import { createIdConverters, toSurrogateKey } from "../../../../lib/ingest/values/ids.ts";
import { parseSourceFile } from "../../../../lib/ingest/source/source_file.ts";

const SOURCE = parseSourceFile(
  `version: 1
only: [{column: Status, in: [paid], name: unpaid}]
columns:
  sale_id: {join: [Order, {line_within: Order}], with: "0"}
  customer_id: {value: "7"}
  product_id: SKU
  quantity: Quantity
  sale_date: Date
  sale_amount: "[Price] * [Quantity]"
  region: {value: North}
  product_name: Title
`,
  "shop.yaml",
);
const HEADER = ["Order", "SKU", "Quantity", "Date", "Price", "Status", "Title"];

function createMapper(): RecordMapper {
  return new RecordMapper(
    { source: SOURCE, header: new HeaderNames(HEADER), lookups: new Map() },
    createIdConverters(() => {}),
  );
}

describe("RecordMapper", () => {
  it("maps a record to the fields of a raw row and to its product", () => {
    const record = ["12", "55", "2", "16.11.2026", "10.005", "Paid", "Mug"];
    const mapper = createMapper();
    assertEquals(mapper.within, [0]);
    assertEquals(mapper.map(record, 2, [3]), ["1203", "7", "55", "2", "2026-11-16", "20.01", "North"]);
    assertEquals([...mapper.products], [
      ["55", { current: { id: "55", sku: "55", name: "Mug", category: "" } }],
    ]);
    assertEquals(mapper.excluded, new Map());
  });

  it("counts what is left out by rule, with the amounts that can be computed", () => {
    const mapper = createMapper();
    const records = [
      ["1", "5", "2", "16.11.2026", "10.00", "open", ""],
      ["2", "5", "1", "16.11.2026", "0.50", "open", ""],
      ["3", "5", "x", "16.11.2026", "0.50", "open", ""],
      ["4", "5", "-2", "16.11.2026", "1.25", "paid", ""],
      ["5", "5", "1", "16.11.2026", "-1.00", "paid", ""],
      ["Total", "", "", "", "99.99", "", ""],
    ];
    assertEquals(
      records.map((record, index) => mapper.map(record, index + 2, [1])),
      records.map(() => undefined),
    );
    mapper.excludeHeader(9);
    assertEquals(
      mapper.excluded,
      new Map([
        ["unpaid", { lines: 3, cents: 2050n, firstLine: 2 }],
        ["return", { lines: 2, cents: -350n, firstLine: 5 }],
        ["total", { lines: 1, cents: 0n, firstLine: 7 }],
        ["header", { lines: 1, cents: 0n, firstLine: 9 }],
      ]),
    );
  });

  it("lets through what cannot be computed", () => {
    const row = createMapper().map(["1", "", "x", "soon", "10.00", "paid", ""], 2, [1]);
    assertEquals(row, ["101", "7", "", "x", "soon", "10.00 * x", "North"]);
  });

  it("converts ids, and tells of the texts that became surrogate keys", () => {
    const told: string[] = [];
    const context = { source: SOURCE, header: new HeaderNames(HEADER), lookups: new Map() };
    const mapper = new RecordMapper(
      context,
      createIdConverters((key, text) => told.push(`${key.digits} ${text}`)),
    );
    const map = (sku: string, title: string) =>
      mapper.map(["12", sku, "1", "16.11.2026", "1", "paid", title], 2, [1])![2];
    const key = toSurrogateKey("85123A").digits;
    assertEquals(["85123A", "71053.0", "85123A"].map((sku) => map(sku, "")), [key, "71053", key]);
    assertEquals(told, [`${key} 85123A`]);
  });

  it("keeps the last name of a product that is not empty", () => {
    const mapper = createMapper();
    for (const title of ["Mug", "Blue mug", ""]) {
      mapper.map(["12", "A-1", "1", "16.11.2026", "1", "paid", title], 2, [1]);
    }
    assertEquals([...mapper.products.values()].map(({ current: { sku, name } }) => [sku, name]), [[
      "A-1",
      "Blue mug",
    ]]);
  });

  it("knows the header again", () => {
    assert(createMapper().isHeader(HEADER.toReversed()));
  });
});
