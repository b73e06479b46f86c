import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  describeCandidates,
  describeFilled,
  examine,
  numericColumns,
  undecided,
} from "../../../../lib/ingest/suggest/findings.ts";
import { examined, sampleOf } from "./harness.ts";

describe("examine()", () => {
  it("leaves out totals and repeated headers, and finds columns and numbers", () => {
    const findings = examined("Order;SKU;Сумма\n1;A;1,50\nOrder;SKU;Сумма\n2;B;2,50\nИтого;;4,00\n");
    assertEquals([findings.rows.length, findings.totals], [2, 1]);
    assertEquals([findings.best("order")?.name, findings.best("amount")?.name], ["Order", "Сумма"]);
    assertEquals(findings.numbers.style, { decimal: ",", thousands: "" });
    assertEquals(findings.best("region"), undefined);
  });

  it("puts the values below a repeated header in another order where they belong", () => {
    const { rows } = examined("Order,SKU,Qty\n1,A,2\nQty,Order,SKU\n3,2,B\n");
    assertEquals(rows, [["1", "A", "2"], ["2", "B", "3"]]);
  });

  it("may look at some records only", () => {
    assertEquals(examine(sampleOf("Order,SKU\n1,A\n2,B\n"), [["1", "A"]]).columns[0]!.filled, ["1"]);
  });
});

describe("what a person is asked", () => {
  it("names candidates with how full they are, and examples", () => {
    const { columns } = examined("Order,SKU\n1,\n2,B\n");
    assertEquals(describeFilled(columns[1]!), "1 of 2 filled");
    assertEquals(
      describeCandidates(columns),
      "Order (2 of 2 filled, such as 1); SKU (1 of 2 filled, such as B)",
    );
    assertEquals(numericColumns(columns).map(({ name }) => name), ["Order"]);
    const rule = undecided("which?", []);
    assertEquals(rule.value, "DECIDE");
    assertStringIncludes(rule.comments[0]!, "DECIDE: which? Candidates: none");
  });
});
