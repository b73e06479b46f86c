import { assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { AGGREGATE_COLUMNS, readAggregates } from "../../../lib/postgres/aggregates.ts";
import { Testbed } from "../tables/harness.ts";

describe("readAggregates()", () => {
  let testbed: Testbed;
  beforeAll(async () => {
    testbed = await Testbed.open(["postgres"]);
    await testbed.createPostgresTables();
  });
  afterAll(() => testbed.close());

  async function readAll(): Promise<(string | null)[][]> {
    return await testbed.postgres((db) =>
      db.transaction(async () => (await Array.fromAsync(readAggregates(db))).flat())
    );
  }

  it("readAggregates() yields nothing for an empty table", async () => {
    assertEquals(await readAll(), []);
  });

  it("readAggregates() yields every column as text, sorted by level and region as bytes, then by product", async () => {
    await testbed.sql(
      "INSERT INTO shop.sales_aggregates SELECT level, region, product, 1, 2, 3.10, 3.10, 0.5, 1, 1, 'run' FROM (VALUES ('total', 'All', 0), ('region', 'South', 0), ('region', 'East', 0), ('product', 'All', 10), ('product', 'All', 9), ('region_product', 'East', 9)) AS v (level, region, product)",
    );
    const rows = await readAll();
    assertEquals(rows.map((row) => row.slice(0, 3).join(" ")), [
      "product All 9",
      "product All 10",
      "region East 0",
      "region South 0",
      "region_product East 9",
      "total All 0",
    ]);
    assertEquals(Object.fromEntries(AGGREGATE_COLUMNS.map((name, index) => [name, rows[5]![index]])), {
      level: "total",
      region: "All",
      product_id: "0",
      total_sales: "1",
      total_quantity: "2",
      total_amount: "3.10",
      average_sale_amount: "3.10",
      amount_share: "0.500000",
      amount_rank: "1",
      cumulative_share: "1.000000",
      run_id: "run",
    });
  });
});
