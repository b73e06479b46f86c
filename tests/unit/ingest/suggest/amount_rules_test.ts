import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { suggestAmount, suggestQuantity } from "../../../../lib/ingest/suggest/amount_rules.ts";
import { examined } from "./harness.ts";

const amountOf = (text: string) => {
  const findings = examined(text);
  return suggestAmount(findings, findings.best("order"));
};

describe("suggestAmount()", () => {
  it("takes what stays the same with other quantities for the price of a unit, even when its name says another thing", () => {
    assertEquals(amountOf("Order,SKU,Qty,Amount\n1,A,1,5.00\n2,A,3,5.00\n").value, '"[Amount] * [Qty]"');
    assertEquals(amountOf("Order,SKU,Qty,Amount\n1,A,1,5.00\n2,A,3,15.00\n").value, "Amount");
    assertEquals(amountOf("Order,SKU,Qty,Price\n1,A,1,5.00\n2,A,3,15.00\n").value, "Price");
  });

  it("takes the line's amount where it is price times quantity", () => {
    const rule = amountOf("Order,SKU,Qty,Price,Сумма\n1,A,2,5.00,10.00\n2,B,3,1.50,4.50\n");
    assertEquals(rule.value, "Сумма");
    assertStringIncludes(rule.comments[0]!, "in 2 of 2 lines it is Price * Qty");
  });

  it("does not take the amount of an order for that of a line", () => {
    const rows = "1,A,1,5.00,20.00\n1,B,3,5.00,20.00\n2,A,1,5.00,7.00\n2,C,1,2.00,7.00\n";
    assertEquals(amountOf(`Order,SKU,Qty,Price,Total\n${rows}`).value, '"[Price] * [Qty]"');
  });

  it("takes off discounts as amounts, shares, percents, or with their sign", () => {
    const withDiscount = (name: string, value: string) =>
      amountOf(`Order,SKU,Qty,Unit price,${name}\n1,A,2,5.00,${value}\n2,B,1,5.00,0\n`).value;
    assertEquals(withDiscount("Discount", "1.50"), '"[Unit price] * [Qty] - [Discount]"');
    assertEquals(withDiscount("Discount", "0.2"), '"[Unit price] * [Qty] * (1 - [Discount])"');
    assertEquals(withDiscount("Discount %", "20"), '"[Unit price] * [Qty] * (1 - [Discount %] / 100)"');
    assertEquals(withDiscount("Discount", "-1.50"), '"[Unit price] * [Qty] + [Discount]"');
  });

  it("takes a line's amount that is less a discount, whatever its form", () => {
    for (const [name, off] of [["Discount", "2.00"], ["Discount", "0.2"], ["discount_percent", "20"]]) {
      const text =
        `Order,SKU,Qty,unit_price,${name},total_amount\n1,A,2,5.00,${off},8.00\n2,B,3,1.50,0,4.50\n`;
      assertEquals(amountOf(text).value, "total_amount", name);
    }
  });

  it("adds promotions that have their sign to Amazon's amounts", () => {
    const text = "order id,sku,quantity,product sales,promotional rebates\n1,A,2,40.00,-2.00\n2,B,1,5.00,0\n";
    assertEquals(amountOf(text).value, '"[product sales] + [promotional rebates]"');
  });

  it("asks when neither names nor values tell", () => {
    const rule = amountOf("Order,SKU,Qty,Amount\n1,A,2,5.00\n2,B,3,7.00\n");
    assertEquals(rule.value, "DECIDE");
    assertStringIncludes(rule.comments[0]!, "Amount (2 of 2 filled");
  });
});

describe("suggestQuantity()", () => {
  it("takes the column of that name, if it holds numbers", () => {
    assertEquals(suggestQuantity(examined("Order,SKU,Кол-во\n1,A,2\n")).value, "Кол-во");
    assertEquals(suggestQuantity(examined("Order,SKU,Qty\n1,A,two\n")).value, "DECIDE");
  });
});
