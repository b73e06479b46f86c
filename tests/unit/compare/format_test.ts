import { assert, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { Compared, Comparison } from "../../../lib/compare/comparison.ts";
import { formatComparison, formatHistory } from "../../../lib/compare/format.ts";
import type { Import } from "../../../lib/compare/imports.ts";

const OLD: Import = {
  date: "2026-11-17",
  runId: "a",
  sales: 10n,
  quantity: 12n,
  cents: 100_000n,
  averageCents: 10_000n,
};
const NEW: Import = { ...OLD, date: "2026-11-24", runId: "b", cents: 112_340n };
const plain = (text: string) => text.replaceAll("\u00a0", " ");

function compared(key: string, before: bigint | undefined, after: bigint | undefined): Compared {
  const change = (after ?? 0n) - (before ?? 0n);
  return { key, before, after, change, quantity: change, price: 0n, mix: 0n, unusual: key === "7" };
}

describe("formatHistory()", () => {
  it("shows each import with its change", () => {
    const text = plain(formatHistory([OLD, NEW], undefined));
    assertMatch(text, /│ 2026-11-17 +│ a +│ +10 │ +1 000\.00 │ +100\.00 │ +│/);
    assertMatch(text, /│ 2026-11-24 +│ b +│ +10 │ +1 123\.40 │ +100\.00 │ +\+12\.3% │/);
  });
});

describe("formatComparison()", () => {
  const comparison: Comparison = {
    before: OLD,
    after: NEW,
    total: { change: 12_340n, quantity: 10_000n, price: 2_000n, mix: 340n },
    regions: [compared("North", 100_000n, 112_340n)],
    products: [
      compared("7", 50_000n, 70_000n),
      compared("8", undefined, 1_000n),
      compared("9", 9_000n, 340n),
    ],
    hasUsual: true,
  };

  it("shows what rose and fell, and marks what is unusual", () => {
    const text = plain(formatComparison(comparison, new Map([["7", "Mug\x1b"]]), undefined));
    assertStringIncludes(text, "2026-11-17 (run a) → 2026-11-24 (run b): 1 000.00 → 1 123.40, +12.3%");
    assertMatch(text, /│ All +│ 1 000\.00 │ 1 123\.40 │ \+123\.40 │ +\+100\.00 │ \+20\.00 │ \+3\.40 │/);
    assertMatch(text, /Rose most[^]*Mug\\u001b \* │ 500\.00 │ 700\.00 │ \+200\.00[^]*product 8 +│ +– │/);
    assertMatch(text, /Fell most[^]*product 9[^]*-86\.60/);
    assertStringIncludes(text, "1 of 3 products changed by more than 3.5 robust deviations");
  });

  it("fits 80 columns", () => {
    const large = { ...comparison, regions: [compared("North", 10n ** 13n, 2n * 10n ** 13n)] };
    const widest = Math.max(
      ...formatComparison(large, new Map(), 80).split("\n").filter((line) => /[│┌]/.test(line)).map((
        { length },
      ) => length),
    );
    assert(widest <= 80, String(widest));
  });
});
