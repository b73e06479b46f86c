import { assert, assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { aggregate } from "../../../lib/aggregate/aggregate.ts";
import { SalesflowError } from "../../../lib/console/errors.ts";
import { load } from "../../../lib/load/load.ts";
import { migrate } from "../../../lib/migrate/migrate.ts";
import { fromCents } from "../../../lib/domain/money.ts";
import { REGIONS } from "../../../lib/domain/sale.ts";
import { makeSales, type Sale, SHORT_LIMITS, Testbed, writeRunFiles } from "../tables/harness.ts";
import { recount } from "../tables/recount.ts";

/** A case of tests/conformance/aggregate; see the README there. */
interface Case {
  name: string;
  sales: [string, number | string, number, string][];
  expected: (string | number)[][];
}

const COLUMNS =
  "level, region, product_id, total_sales, total_quantity, total_amount, average_sale_amount, amount_share, amount_rank, cumulative_share";
const CONFORMANCE = new URL("../../conformance/aggregate/", import.meta.url);

function conformanceCases(): { file: string; cases: Case[] }[] {
  const names = [...Deno.readDirSync(CONFORMANCE)].map(({ name }) => name).filter((name) =>
    name.endsWith(".json")
  );
  return names.sort().map((file) => ({
    file,
    cases: JSON.parse(Deno.readTextFileSync(new URL(file, CONFORMANCE))),
  }));
}

function toSales(sales: Case["sales"]): Sale[] {
  return sales.map((
    [region, product, quantity, amount],
    i,
  ) => [i + 1, 1, product, quantity, "2026-10-01", amount, region]);
}

describe("aggregate()", () => {
  let testbed: Testbed;
  beforeAll(async () => {
    testbed = await Testbed.open();
    await migrate(testbed.context("run"));
  });
  afterAll(() => testbed.close());

  async function readAggregates(): Promise<string[]> {
    return (await testbed.values(`SELECT ${COLUMNS} FROM shop.sales_aggregates`)).map((row) => row.join(" "))
      .sort();
  }

  /** Replaces shop.sales, without load, and returns the aggregates. */
  async function aggregateSales(sales: Sale[]): Promise<string[]> {
    await testbed.postgres((db) =>
      db.transaction(async () => {
        const columns = Array.from({ length: 7 }, (_, column) => sales.map((sale) => String(sale[column])));
        await db.query("TRUNCATE shop.sales");
        await db.query(
          "INSERT INTO shop.sales SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::integer[], $5::date[], $6::numeric[], $7::text[])",
          columns,
        );
      })
    );
    await aggregate(testbed.context("base"));
    return await readAggregates();
  }

  it("aggregate() throws when no run is loaded, or another one", async () => {
    await assertRejects(() => aggregate(testbed.context("base")), SalesflowError, "no rows of any run");
    await writeRunFiles(testbed.store, { runId: "base", parts: [makeSales(10)] });
    await load(testbed.context("base"));
    const error = await assertRejects(
      () => aggregate(testbed.context("other")),
      SalesflowError,
      "of run base",
    );
    assertEquals(error.exitCode, 1);
    assert(error.remedy?.includes("load"));
  });

  for (const { file, cases } of conformanceCases()) {
    for (const { name, sales, expected } of cases) {
      it(`aggregate() passes ${file}: ${name}`, async () => {
        assertEquals(await aggregateSales(toSales(sales)), expected.map((row) => row.join(" ")).sort());
      });
    }
  }

  it("aggregate() agrees with a recount in integers for any sales", async () => {
    // Few distinct amounts make ties and halves likely; sums of the largest ones exceed 2^53 kopecks.
    const cents = fc.oneof(
      fc.bigInt({ min: 1n, max: 9n }),
      fc.bigInt({ min: 1n, max: 99_999_999_999_999n }),
      fc.constantFrom(1n, 5n, 50n, 99_999_999_999_999n, 99_999_999_999_998n),
    );
    const sale = fc.tuple(
      fc.constantFrom(...REGIONS),
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 1, max: 9 }),
      cents,
    );
    await fc.assert(
      fc.asyncProperty(fc.array(sale, { maxLength: 60 }), async (drawn) => {
        const sales = toSales(
          drawn.map(([region, product, quantity, amount]) => [region, product, quantity, fromCents(amount)]),
        );
        assertEquals(await aggregateSales(sales), recount(sales));
      }),
      { numRuns: 40, seed: 20261124 },
    );
  });

  it("aggregate() is exact when a sum exceeds the precision of a double", async () => {
    const sales = toSales(
      Array.from({ length: 9000 }, (_, i) => [REGIONS[i % 2]!, 1 + i % 3, 1, "999999999999.99"]),
    );
    const rows = await aggregateSales(sales);
    assertEquals(rows, recount(sales));
    assert(rows.some((row) => row.includes("8999999999999910.00")));
  });

  it("aggregate() throws and keeps the old rows when a sum does not fit its column", async () => {
    const before = await aggregateSales(toSales([["North", 1, 1, "1.00"]]));
    const sales = toSales(Array.from({ length: 10_001 }, () => ["North", 1, 1, "999999999999.99"]));
    await assertRejects(() => aggregateSales(sales), SalesflowError, "too large for its column");
    assertEquals(await readAggregates(), before);
  });

  it("aggregate() shows readers either the old rows or the new ones while several run concurrently", async () => {
    const first = await aggregateSales(makeSales(40));
    await writeRunFiles(testbed.store, { runId: "base", parts: [makeSales(400)] });
    let running = true;
    const seen = new Set<string>();
    const reading = (async () => {
      while (running) seen.add((await readAggregates()).join("\n"));
    })();
    await load(testbed.context("base"));
    await Promise.all([1, 2, 3, 4].map(() => aggregate(testbed.context("base"))));
    running = false;
    await reading;
    const last = await readAggregates();
    assertEquals(last, recount(makeSales(400)));
    for (const rows of seen) assert(rows === first.join("\n") || rows === last.join("\n"));
  });

  it("aggregate() writes its run id to every row, and fails with exit code 75 when another session holds its lock", async () => {
    await aggregate(testbed.context("base"));
    assertEquals(await testbed.values("SELECT DISTINCT run_id FROM shop.sales_aggregates"), [["base"]]);
    await testbed.postgres(async (db) => {
      await db.query("SELECT pg_advisory_lock(hashtextextended('salesflow:sales_aggregates', 0))");
      const error = await assertRejects(
        () => aggregate(testbed.context("base"), { limits: SHORT_LIMITS }),
        SalesflowError,
        "salesflow test",
      );
      assertEquals(error.exitCode, 75);
    });
  });
});
