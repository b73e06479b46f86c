import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { HeaderNames, neededColumns, normalizeName } from "../../../../lib/ingest/source/header_names.ts";
import { parseSourceFile } from "../../../../lib/ingest/source/source_file.ts";

const SOURCE = parseSourceFile(
  `version: 1
fill_down: {columns: [Status], within: Order}
only: [{column: Status, in: [paid]}]
currency: {column: Currency, is: RUB}
returns: {column: Document, in: [Refund]}
columns:
  sale_id: {join: [Order, guest, {line_within: Order}]}
  customer_id: {column: Email, default: {column: Phone}}
  product_id: {value: 1}
  quantity: Quantity
  sale_date: Date
  sale_amount: "[Price] * [Quantity]"
  region: {columns: [Country, State], lookup: regions.csv}
`,
  "shop.yaml",
);

describe("normalizeName()", () => {
  it("compares without case, byte order mark, and kinds of blanks", () => {
    const names = ["\ufeffOrder no", " ORDER\u00a0no ", "order\nNo", "Order  No"];
    assertEquals(names.map(normalizeName), names.map(() => "order no"));
  });
});

describe("neededColumns()", () => {
  it("returns each column once; parts of a join may be texts", () => {
    assertEquals(neededColumns(SOURCE).map(({ name, use }) => `${use} ${name}`), [
      "sale_id Order",
      "customer_id Email",
      "customer_id Phone",
      "quantity Quantity",
      "sale_date Date",
      "sale_amount Price",
      "region Country",
      "region State",
      "only Status",
      "currency Currency",
      "returns Document",
    ]);
  });
});

describe("HeaderNames", () => {
  it("finds columns", () => {
    const header = new HeaderNames(["\ufeffOrder", "Unit\u00a0price", ""]);
    assertEquals(["order", "unit price ", "price"].map((name) => header.find(name)), [0, 1, undefined]);
  });

  it("says what is missing or twice, of what is needed", () => {
    const header = new HeaderNames(["Order", "Email", "email", "Note", "note"]);
    const needed = [
      { name: "Order", use: "sale_id" },
      { name: "Email", use: "customer_id" },
      { name: "Price", use: "sale_amount" },
      { name: "Region", use: "region" },
    ];
    assertEquals(header.findMistakes(needed), [
      "the column Email (for customer_id) occurs twice",
      "there is no column Price (for sale_amount)",
      "there is no column Region",
    ]);
  });
});
