import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  countRoles,
  fitOf,
  isDone,
  isReturnDocument,
  type Role,
} from "../../../../lib/ingest/suggest/vocabulary.ts";

describe("fitOf()", () => {
  const names: [role: Role, name: string][] = [
    ["order", "InvoiceNo"],
    ["order", "Номер заказа"],
    ["order", "amazon-order-id"],
    ["line_id", "order_item_id"],
    ["customer", "Billing E-mail"],
    ["product_id", "Lineitem sku"],
    ["product_id", "Артикул поставщика"],
    ["product_name", "Название товара"],
    ["quantity", "Кол-во"],
    ["price", "Цена, руб."],
    ["total", "Line_Total"],
    ["date", "Created\u00a0at"],
    ["region", "Shipping Province Name"],
    ["currency", "currency_code"],
    ["status", "Статус заказа"],
    ["document", "Тип документа"],
  ];
  for (const [role, name] of names) it(`knows ${name}`, () => assert(fitOf(role, name) > 0));

  it("prefers the more telling name", () => {
    assert(fitOf("region", "Region") > fitOf("region", "Country"));
    assertEquals([fitOf("quantity", "quality"), countRoles(["Qty", "Quantity", "Price", "?"])], [0, 2]);
  });
});

describe("isDone() and isReturnDocument()", () => {
  it("know what a sale and a return are called", () => {
    assertEquals(["Paid", "partially_paid", "Доставлен", "cancelled", "Отменен"].map(isDone), [
      true,
      true,
      true,
      false,
      false,
    ]);
    assertEquals(["Refund", "Возврат", "Продажа"].map(isReturnDocument), [true, true, false]);
  });
});
