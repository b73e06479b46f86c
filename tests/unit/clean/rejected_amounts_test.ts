import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  addAmountSums,
  addRejectedLine,
  toRejectedAmounts,
  zeroAmountSums,
} from "../../../lib/clean/rejected_amounts.ts";
import { MAX_LINE_BYTES } from "../../../lib/clean/rules.ts";
import { REASONS } from "../../../lib/domain/sale.ts";

function add(sums: ReturnType<typeof zeroAmountSums>, reason: typeof REASONS[number], line: string): void {
  const bytes = new TextEncoder().encode(`x${line}\n`);
  addRejectedLine(sums, REASONS.indexOf(reason), bytes, 1, bytes.length - 1);
}

describe("sums of rejected amounts", () => {
  it("count the rows with a valid amount, and add these exactly", () => {
    const sums = zeroAmountSums();
    add(sums, "unknown_region", "1,2,3,4,2026-11-24,999999999999.99,x");
    add(sums, "unknown_region", '1,2,3,4,2026-11-24,"1 000,01 ₽",x');
    add(sums, "unknown_region", "1,2,3,4,2026-11-24,x,x");
    add(sums, "malformed_row", "1,2,3,4,2026-11-24,5.00");
    add(sums, "malformed_row", `1,2,3,4,2026-11-24,5.00,${"x".repeat(MAX_LINE_BYTES)}`);
    const amounts = toRejectedAmounts(sums);
    assertEquals(Object.keys(amounts), [...REASONS]);
    assertEquals(amounts.unknown_region, { rows: 2, amount: "1000000001000.00" });
    assertEquals(amounts.malformed_row, { rows: 0, amount: "0.00" });
  });

  it("are added to each other", () => {
    const [one, other] = [zeroAmountSums(), zeroAmountSums()];
    add(one, "missing_value", "1,,3,4,2026-11-24,1.00,North");
    add(other, "missing_value", "1,,3,4,2026-11-24,0.50,North");
    addAmountSums(one, other);
    assertEquals(toRejectedAmounts(one).missing_value, { rows: 2, amount: "1.50" });
  });
});
