import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { UsageError } from "../../../lib/console/errors.ts";
import { chooseImports, type Import } from "../../../lib/compare/imports.ts";

function imported(date: string): Import {
  return { date, runId: `run-${date}`, sales: 1n, quantity: 1n, cents: 1n, averageCents: 1n };
}
const IMPORTS = ["2026-11-10", "2026-11-17", "2026-11-24"].map(imported);

describe("chooseImports()", () => {
  const dates = (...names: string[]) => chooseImports(IMPORTS, names).map(({ date }) => date);

  it("takes the last two, or those that are named by date or run", () => {
    assertEquals(dates(), ["2026-11-17", "2026-11-24"]);
    assertEquals(dates("2026-11-10"), ["2026-11-10", "2026-11-24"]);
    assertEquals(dates("2026-11-24", "run-2026-11-10"), ["2026-11-24", "2026-11-10"]);
  });

  it("throws UsageError when there is no such import, or nothing to compare", () => {
    assertThrows(() => dates("2026-11-11"), UsageError, "There is no import 2026-11-11");
    assertThrows(() => chooseImports(IMPORTS.slice(0, 1), []), UsageError, "one import only");
    assertThrows(() => chooseImports([], []), UsageError, "no import");
  });
});
