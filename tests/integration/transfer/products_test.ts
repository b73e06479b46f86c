import { assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { withClickHouse } from "../../../lib/clickhouse/session.ts";
import { productsPath } from "../../../lib/dataset/products.ts";
import { migrate } from "../../../lib/migrate/migrate.ts";
import { copyProducts } from "../../../lib/transfer/products.ts";
import { SHORT_LIMITS, Testbed } from "../tables/harness.ts";

describe("copyProducts()", () => {
  let testbed: Testbed;
  beforeAll(async () => {
    testbed = await Testbed.open();
    await migrate(testbed.context("run"));
    await testbed.store.writeText(productsPath("run"), "product_id,name,category,price_from,price_to,sku\n");
  });
  afterAll(() => testbed.close());

  async function copy(runId: string): Promise<(string | null)[][]> {
    const { signal } = new AbortController();
    await withClickHouse(
      { url: testbed.clickhouseUrl, stage: "test", signal, limits: SHORT_LIMITS },
      (to) =>
        testbed.postgres((from) =>
          from.transaction(() => copyProducts(from, to, "products_test_", testbed.context(runId)))
        ),
    );
    return await testbed.clickhouse(
      "SELECT toString(product_id), name, category, toString(price_from), sku FROM shop.products ORDER BY product_id",
    );
  }

  const rows: [id: string, row: (string | null)[]][] = [
    ["2", ["2", "Кружка", "", "0.01", null]],
    ["4611686018427387905", ["4611686018427387905", 'Tea, "green"\t\\', "Food", null, "T-1"]],
  ];

  it("replaces all rows with those of PostgreSQL, whatever is in them", async () => {
    await testbed.sql("DELETE FROM shop.products");
    await testbed.sql("INSERT INTO shop.products VALUES (7, 'old', '', NULL, NULL, NULL)");
    assertEquals((await copy("run")).map(([id]) => id), ["7"]);
    await testbed.sql("DELETE FROM shop.products");
    await testbed.sql(
      "INSERT INTO shop.products VALUES (2, 'Кружка', '', 0.01, 0.02, NULL), " +
        "(4611686018427387905, E'Tea, \"green\"\\t\\\\', 'Food', NULL, NULL, 'T-1')",
    );
    const found = await copy("run");
    assertEquals(
      found.map(([id, name, category]) => [id, name, category]),
      rows.map(([, row]) => row.slice(0, 3)),
    );
    assertEquals(found[0]![3], "0.01");
    assertEquals(found[1]![4], "T-1");
    const staging = await testbed.clickhouse(
      "SELECT name FROM system.tables WHERE startsWith(name, 'products_test_')",
    );
    assertEquals(staging, []);
  });

  it("removes all rows when PostgreSQL has none", async () => {
    const rows = await testbed.sql("SELECT * FROM shop.products");
    assertEquals(rows.length, 2);
    await testbed.sql("CREATE TABLE public.kept AS SELECT * FROM shop.products");
    await testbed.sql("DELETE FROM shop.products");
    assertEquals(await copy("run"), []);
    assertEquals(await copy("run"), []);
    await testbed.sql("INSERT INTO shop.products SELECT * FROM public.kept");
    assertEquals((await copy("run")).length, 2);
  });

  it("keeps the rows when the run has no catalogue", async () => {
    const before = await copy("run");
    await testbed.sql("DELETE FROM shop.products");
    assertEquals(await copy("without"), before);
  });
});
