import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  suggestCustomer,
  suggestFillDown,
  suggestProduct,
  suggestSaleId,
} from "../../../../lib/ingest/suggest/id_rules.ts";
import { examined } from "./harness.ts";

const saleIdOf = (text: string) => suggestSaleId(examined(text));

describe("suggestSaleId()", () => {
  it("numbers the lines of orders with several products", () => {
    assertEquals(saleIdOf("Order,SKU\n1,A\n1,B\n").value, '{join: [Order, {line_within: Order}], with: "/"}');
    assertEquals(
      saleIdOf("Order,SKU\n#1,A\n#1,B\n").value,
      '{join: [Order, {line_within: Order}], with: "-"}',
    );
  });

  it("keeps ids that come again with the same product, and names conflicts", () => {
    const { value, isOrder, conflict } = saleIdOf("Order,SKU,Qty\n1,A,1\n1,A,2\n2,A,1\n");
    assertEquals([value, isOrder, conflict], ["Order", false, "1"]);
  });

  it("prefers the id of a line, and makes the product a part of it where totals stand below", () => {
    assertEquals(saleIdOf("Order ID,Order item ID,SKU\n1,7,A\n1,8,B\n").value, "Order item ID");
    assertEquals(
      saleIdOf("Заказ,Артикул,Сумма\n1,A,5\n1,B,5\nИтого,,10\n").value,
      '{join: [Заказ, Артикул, {line_within: Заказ}], with: "/"}',
    );
  });

  it("asks where no name tells", () => {
    const { value, comments } = saleIdOf("Ref x,SKU\n1,A\n2,B\n");
    assertEquals(value, "DECIDE");
    assertStringIncludes(comments[0]!, "Ref x (2 of 2 filled");
  });
});

describe("suggestCustomer()", () => {
  const customerOf = (text: string) => {
    const findings = examined(text);
    return suggestCustomer(findings, findings.best("order")).value;
  };

  it("makes guests of those without an e-mail or an id, but not without a name in accounts", () => {
    assertEquals(
      customerOf("Order,SKU,Email\n1,A,a@x.example\n"),
      '{column: Email, default: {join: [guest, Order], with: "-"}}',
    );
    assertEquals(
      customerOf("Order,SKU,CustomerID\n1,A,7\n2,A,\n"),
      '{column: CustomerID, default: {join: [guest, Order], with: "-"}}',
    );
    assertEquals(customerOf("Заказ,SKU,Клиент\n1,A,7\n2,A,\n"), "Клиент");
  });

  it("finds addresses by themselves, counts one customer for a marketplace, and asks elsewhere", () => {
    assertEquals(
      customerOf("Order,SKU,Who\n1,A,a@x.example\n"),
      '{column: Who, default: {join: [guest, Order], with: "-"}}',
    );
    assertEquals(customerOf("Номер отправления,SKU\n1,A\n"), '{value: "1"}');
    assertEquals(customerOf("Order,SKU\n1,A\n"), "DECIDE");
  });
});

describe("suggestProduct()", () => {
  const productOf = (text: string) => {
    const { id, name, category } = suggestProduct(examined(text));
    return [id.value, name?.value, category?.value];
  };

  it("takes sku, name and category", () => {
    assertEquals(productOf("Order,SKU,Product name,Category\n1,A,Cup,Kitchen\n"), [
      "SKU",
      "Product name",
      "Category",
    ]);
  });

  it("lets the name stand in where many lack a sku, or there is none", () => {
    assertEquals(
      productOf("Order,SKU,Product name\n1,A,Cup\n2,,Plate\n")[0],
      "{column: SKU, default: {column: Product name}}",
    );
    const few = "Order,SKU,Product name\n1,A,Cup\n2,A,Cup\n3,A,Cup\n4,A,Cup\n5,A,Cup\n6,,Plate\n";
    assertEquals(productOf(few)[0], "SKU");
    assertEquals(productOf("Order,Product name\n1,Cup\n")[0], "Product name");
    assertEquals(productOf("Order,Qty\n1,2\n")[0], "DECIDE");
  });
});

describe("suggestFillDown()", () => {
  const fillDownOf = (text: string) => {
    const findings = examined(text);
    return suggestFillDown(findings, findings.best("order")!, findings.columns)?.columns.map(({ name }) =>
      name
    );
  };

  it("finds what only the first line of an order has", () => {
    assertEquals(fillDownOf("Order,SKU,Status,Notes\n1,A,paid,\n1,B,,\n2,A,paid,x\n"), ["Status"]);
    assertEquals(fillDownOf("Order,SKU,Status\n1,A,paid\n1,B,paid\n"), undefined);
  });
});
