import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { assignRoles, countValues, groupBy } from "../../../../lib/ingest/suggest/roles.ts";

function rolesOf(names: string[], ...records: string[][]): Record<string, string> {
  return Object.fromEntries([...assignRoles({ names, records })].map(([role, { name }]) => [role, name]));
}

describe("assignRoles()", () => {
  it("gives each role the best name, and no column two", () => {
    assertEquals(rolesOf(["Item", "sku", "Units", "Quantity ordered"], ["Mug", "M-1", "1", "2"]), {
      product_id: "sku",
      product_name: "Item",
      quantity: "Quantity ordered",
    });
  });

  it("looks at the values: a name is no number of an order, and a text no amount", () => {
    assertEquals(rolesOf(["Name", "Total"], ["Anna", "free"]), {});
    assertEquals(rolesOf(["Name", "Total"], ["#1001", " 5 "]), { order: "Name", total: "Total" });
    assertEquals(rolesOf(["Order ID"], [""]), {});
  });
});

describe("countValues() and groupBy()", () => {
  it("leave empty values out", () => {
    assertEquals(countValues(["b", "a", "", "A"]), [["a", 2], ["b", 1]]);
    assertEquals([...groupBy({ name: "x", values: ["b", "", "b", "a"] })], [["b", [0, 2]], ["a", [3]]]);
  });
});
