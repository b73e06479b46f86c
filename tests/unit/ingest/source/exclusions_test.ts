import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Exclusions, isReturn } from "../../../../lib/ingest/source/exclusions.ts";
import { HeaderNames } from "../../../../lib/ingest/source/header_names.ts";
import { parseSourceFile } from "../../../../lib/ingest/source/source_file.ts";

const SOURCE = parseSourceFile(
  `version: 1
only:
  - {column: Status, in: [paid, ""], name: unpaid}
  - {column: SKU, matches: '^[A-Z]', name: service}
currency: {column: Currency, is: RUB}
returns: {column: Document, in: [Refund]}
columns:
  sale_id: {join: [Order, SKU]}
  customer_id: {value: "1"}
  product_id: SKU
  quantity: {value: "1"}
  sale_date: {column: Date}
  sale_amount: Amount
  region: {value: North}
`,
  "shop.yaml",
);
const HEADER = ["Date", "Order", "SKU", "Status", "Currency", "Document", "Amount"];
const exclusions = new Exclusions(SOURCE, new HeaderNames(HEADER));

/** Finds the exclusion of a record that is a sale but for some values. */
function find(changes: Record<string, string> = {}): string | undefined {
  const sale: Record<string, string> = {
    Date: "2026-11-16",
    Order: "1",
    SKU: "A-1",
    Status: "Paid",
    Currency: "rub ",
    Document: "Sale",
    Amount: "10.00",
    ...changes,
  };
  return exclusions.find(HEADER.map((name) => sale[name]!));
}

describe("Exclusions", () => {
  it("keeps sales", () => {
    assertEquals(find(), undefined);
    assertEquals(find({ Status: " " }), undefined);
  });

  it("finds lines by the rules of the source file", () => {
    assertEquals(find({ Status: "refunded" }), "unpaid");
    assertEquals(find({ SKU: "post" }), "service");
    assertEquals(find({ Currency: "USD" }), "currency");
    assertEquals(find({ Document: "REFUND" }), "return");
  });

  it("counts a line under the first rule that it meets", () => {
    assertEquals(find({ Status: "x", SKU: "y", Currency: "z", Document: "refund" }), "unpaid");
    assertEquals(find({ Order: "", SKU: "", Status: "x" }), "total");
  });

  it("finds totals: a first word, and no value in the columns of the id but the first; or none at all", () => {
    assertEquals(find({ Date: "Итого:", SKU: "" }), "total");
    assertEquals(find({ Date: "", Order: "TOTAL", SKU: "" }), "total");
    assertEquals(find({ Order: " ", SKU: "" }), "total");
    assertEquals(find({ Order: "Total", SKU: "A-1" }), undefined);
    assertEquals(find({ Date: "2026-11-16", SKU: "" }), "service");
  });

  it("knows the header again, with its columns in any order", () => {
    assert(exclusions.isHeader(HEADER));
    assert(exclusions.isHeader(HEADER.toReversed().map((name) => `\ufeff ${name.toUpperCase()}`)));
    assert(!exclusions.isHeader(["Date", "1", "A", "", "", "", ""]));
    assert(!exclusions.isHeader(["2026-11-16", "Order", "SKU", "Status", "Currency", "Document", "Amount"]));
  });
});

describe("isReturn()", () => {
  it("is a quantity or an amount below zero", () => {
    assert(isReturn("-1", "10.00") && isReturn("1", "-10.00"));
    assert(!isReturn("1", "10.00") && !isReturn("-0", "-0.00") && !isReturn("-", "n/a"));
  });
});
