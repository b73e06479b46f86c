import { assertEquals, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { load } from "../../../lib/load/load.ts";
import { migrate } from "../../../lib/migrate/migrate.ts";
import type { Reason } from "../../../lib/domain/sale.ts";
import { type Sale, Testbed, writeRunFiles } from "../tables/harness.ts";

/** A sale of a product: a number of pieces for an amount. */
function sale(id: number, product: number, quantity: number, amount: string): Sale {
  return [id, 1, product, quantity, "2026-11-16", amount, "North"];
}

/** Grows with the quantity. */
const SOUND = [sale(1, 7, 1, "10.00"), sale(2, 7, 2, "20.00"), sale(3, 7, 3, "30.00"), sale(4, 7, 4, "9.00")];

describe("findSuspicions()", () => {
  let testbed: Testbed;
  beforeAll(async () => {
    testbed = await Testbed.open();
    await migrate(testbed.context("run"));
  });
  afterAll(() => testbed.close());

  async function warningsOf(
    sales: Sale[],
    rejected: [part: number, line: number, reason: Reason, raw: string][] = [],
    source: "generated" | "ingested" = "ingested",
  ): Promise<string[]> {
    await writeRunFiles(testbed.store, { runId: "run", parts: [sales], rejected, source, products: [] });
    return ((await load(testbed.context("run"))).facts.warnings ?? []) as string[];
  }

  it("finds nothing in sound sales", async () => {
    assertEquals(
      await warningsOf(SOUND, [[0, 9, "conflicting_duplicate", "1,1,7,1,2026-11-16,99.00,North"]]),
      [],
    );
  });

  it("tells of sale_ids that stand for several products, with examples and the money at stake", async () => {
    const [warning, ...others] = await warningsOf(SOUND, [
      [0, 6, "conflicting_duplicate", '001,1,8,1,2026-11-16,"1 234,5 ₽",North'],
      [0, 7, "conflicting_duplicate", '"2", 1 ,"9",1,16.11.2026,100 руб.,север'],
      [0, 8, "conflicting_duplicate", "3,1,7,1,2026-11-16,5.00,South"],
      [0, 9, "unknown_region", "3,1,9,1,2026-11-16,5.00,x"],
    ]);
    assertEquals(others, []);
    assertStringIncludes(
      warning!,
      "sale_id of 2 rows of 1\u00a0334.50 in all, which are rejected, stands for another product",
    );
    assertStringIncludes(warning!, "1 in part-00000.csv line 6, 2 in part-00000.csv line 7");
    assertStringIncludes(warning!, "{join: [Order, {line_within: Order}]");
  });

  it("tells of amounts that do not grow with the quantity, and of what would be missing", async () => {
    const prices = [
      sale(1, 7, 1, "10.00"),
      sale(2, 7, 2, "10.00"),
      sale(3, 7, 3, "9.50"),
      sale(4, 8, 2, "5.00"),
      sale(5, 8, 4, "5.00"),
    ];
    const [warning, ...others] = await warningsOf(prices);
    assertEquals(others, []);
    assertStringIncludes(warning!, "does not grow with the quantity in 3 of 3 sales of several pieces");
    assertStringIncludes(warning!, "49.00 are missing");
  });

  it("finds nothing in too few sales, nor in invented ones", async () => {
    const few = [sale(1, 7, 1, "10.00"), sale(2, 7, 2, "10.00"), sale(3, 7, 3, "10.00")];
    assertEquals(await warningsOf(few), []);
    const many = [...few, sale(4, 7, 4, "10.00")];
    assertEquals((await warningsOf(many)).length, 1);
    assertEquals(await warningsOf(many, [], "generated"), []);
  });
});
