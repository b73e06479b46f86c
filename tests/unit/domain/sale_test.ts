import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { REASONS, REJECTED_HEADER, SALE_HEADER, zeroReasonCounts } from "../../../lib/domain/sale.ts";

describe("zeroReasonCounts()", () => {
  it("returns zero for every reason, in their order", () => {
    const counts = zeroReasonCounts();
    assertEquals(Object.keys(counts), [...REASONS]);
    assertEquals(new Set(Object.values(counts)), new Set([0]));
  });

  it("returns a new object on each call", () => {
    zeroReasonCounts().missing_value++;
    assertEquals(zeroReasonCounts().missing_value, 0);
  });
});

describe("headers of parts", () => {
  it("match the data contract", async () => {
    const contract = await Deno.readTextFile(new URL("../../../docs/data_contract.md", import.meta.url));
    for (const header of [SALE_HEADER, REJECTED_HEADER]) {
      assertEquals(contract.includes(header), true, header);
    }
  });
});
