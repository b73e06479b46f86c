import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { fitName, isKnownName, isMarketplace, nameWords } from "../../../../lib/ingest/suggest/vocabulary.ts";

describe("names of columns", () => {
  it("are words, however they are joined", () => {
    assertEquals(
      [
        "InvoiceNo",
        "order_id",
        "item.qty",
        "Кол-во",
        "Quantity (- Refund)",
        "№ заказа",
        "Отменён",
        "Сумма, руб.",
      ].map(
        nameWords,
      ),
      ["invoice no", "order id", "item qty", "кол во", "quantity refund", "№ заказа", "отменен", "сумма"],
    );
  });

  it("fit roles by rank; parts of names say little", () => {
    assert(fitName("Order ID", "order", [])!.rank < fitName("Invoice", "order", [])!.rank);
    assertEquals(fitName("Posted currency", "currency", [])?.isVague, true);
    assertEquals(fitName("item.qty", "productName", []), undefined);
    assertEquals(fitName("Total order amount", "amount", []), undefined);
    assertEquals(fitName("Amount", "amount", [])?.isVague, true);
  });

  it("mean the order's number by Name in Shopify, and its amounts by what is no line item", () => {
    const words = ["name", "lineitem name"];
    assertEquals(fitName("Name", "order", words)?.rank, 0);
    assertEquals(fitName("Name", "productName", words), undefined);
    assertEquals(fitName("Total", "amount", words), undefined);
  });

  it("tell marketplaces", () => {
    assert(isKnownName("Артикул") && !isKnownName("Ref x"));
    assert(isMarketplace(["номер отправления"]) && !isMarketplace(["order"]));
  });
});
