import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { BLANK, CANONICAL, CONFLICT, CONVERTED, DUPLICATE, REJECTED } from "../../../lib/clean/row_status.ts";
import { REASONS } from "../../../lib/domain/sale.ts";

describe("row statuses", () => {
  const rejected = REASONS.map((_, index) => REJECTED + index);
  const others = [BLANK, CANONICAL, CONVERTED, DUPLICATE];

  it("are distinct and fit into one byte", () => {
    const all = [...others, ...rejected];
    assertEquals(new Set(all).size, all.length);
    assertEquals([...Uint8Array.from(all)], all);
  });

  it("of rejected rows are the only ones from REJECTED up", () => {
    assert(others.every((status) => status < REJECTED));
  });

  it("CONFLICT is the status of conflicting_duplicate", () => {
    assertEquals(REASONS[CONFLICT - REJECTED], "conflicting_duplicate");
  });
});
