import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  suggestCurrency,
  suggestOnly,
  suggestReturns,
  withoutReportLines,
} from "../../../../lib/ingest/suggest/filter_rules.ts";
import { examined } from "./harness.ts";

const rulesOf = (text: string) => {
  const { value } = suggestOnly(examined(text)) ?? { value: [] };
  return [...value].filter((line) => line.startsWith("- "));
};

describe("suggestOnly()", () => {
  it("keeps statuses of sales, leaves out the others, and asks about what is neither", () => {
    const text = "Order,SKU,Статус\n1,A,Доставлен\n2,A,Отменён\n3,A,В пути\n";
    assertEquals(rulesOf(text), [
      '- {column: Статус, in: [Доставлен, "DECIDE: В пути"], name: not_delivered}',
    ]);
  });

  it("knows columns that say yes or no", () => {
    assertEquals(rulesOf("Order,SKU,Оплачен,Отменен\n1,A,Да,Нет\n2,A,Нет,Да\n"), [
      "- {column: Оплачен, in: [Да], name: not_paid}",
      "- {column: Отменен, in: [Нет], name: cancelled}",
    ]);
  });

  it("suggests nothing where no status is that of a sale", () => {
    assertEquals(suggestOnly(examined("Order,SKU,Status\n1,A,blue\n")), undefined);
  });
});

describe("withoutReportLines()", () => {
  it("leaves out the fees in reports of marketplaces", () => {
    const findings = examined("order-id,sku,amount-description\n1,A,Principal\n1,A,Commission\n");
    assertEquals(withoutReportLines(findings).map((row) => row[2]), ["Principal"]);
  });
});

describe("suggestReturns()", () => {
  it("names the refunds that there are, or will be", () => {
    assertEquals(
      suggestReturns(examined("Order,SKU,Тип документа\n1,A,Продажа\n2,A,Возврат\n"))?.value,
      "{column: Тип документа, in: [Возврат]}",
    );
    assertEquals(
      suggestReturns(examined("Order,SKU,Event Type\n1,A,Payment\n"))?.value,
      "{column: Event Type, in: [Refund]}",
    );
    assertEquals(suggestReturns(examined("Order,SKU,Type\n1,A,big\n")), undefined);
  });
});

describe("suggestCurrency()", () => {
  const currencyOf = (text: string, amount?: string) => {
    const findings = examined(text);
    return suggestCurrency(findings, findings.columns.filter(({ name }) => name === amount), [])?.value;
  };

  it("takes the most frequent one, and asks when two are as frequent", () => {
    assertEquals(
      currencyOf("Order,SKU,Currency\n1,A,rub\n2,A,RUB\n3,A,EUR\n"),
      "{column: Currency, is: RUB}",
    );
    assertEquals(
      currencyOf("Order,SKU,Currency\n1,A,RUB\n2,A,EUR\n"),
      '{column: Currency, is: "DECIDE: RUB or EUR"}',
    );
  });

  it("names a constant where a column says it only once, or marks stand beside amounts", () => {
    assertEquals(currencyOf("Order,SKU,Currency\n1,A,USD\n2,A,\n3,A,\n"), "{value: USD}");
    assertEquals(currencyOf("Order,SKU,Price\n1,A,€5.00\n", "Price"), "{value: EUR}");
    assertEquals(currencyOf("Order,SKU,Price\n1,A,5.00\n", "Price"), undefined);
  });
});
