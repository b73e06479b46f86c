import { assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { SalesflowError } from "../../../lib/console/errors.ts";
import { openSource } from "../../../lib/load/source.ts";
import { checkRowCount, dropStaleStagingTables, fillStagingTable } from "../../../lib/load/staging.ts";
import { forgePart, makeSales, Testbed, writeRunFiles } from "../tables/harness.ts";

const SALES = makeSales(30);
const STAGING_TABLES =
  "SELECT relname FROM pg_class WHERE relnamespace = 'shop'::regnamespace AND relkind = 'r' AND relname LIKE 'sales\\_part\\_%'";

describe("lib/load/staging.ts", () => {
  let testbed: Testbed;
  beforeAll(async () => {
    testbed = await Testbed.open(["postgres"]);
    await testbed.createPostgresTables();
    await writeRunFiles(testbed.store, { runId: "run", parts: [SALES.slice(0, 20), SALES.slice(20)] });
  });
  afterAll(() => testbed.close());

  async function fill(report: (rows: number, total: number) => void = () => {}): Promise<string> {
    const source = await openSource(testbed.context("run"));
    return await testbed.postgres((db) => fillStagingTable(db, source, report));
  }

  it("fillStagingTable() copies all parts into an unattached table, and reports rows", async () => {
    const reported: [number, number][] = [];
    const table = await fill((rows, total) => reported.push([rows, total]));
    assertMatch(table, /^"shop"\."sales_part_[0-9a-f]{12}"$/);
    assertEquals(
      await testbed.values(`SELECT * FROM ${table} ORDER BY sale_id`),
      SALES.map((sale) => sale.map(String)),
    );
    assertEquals(await testbed.values("SELECT count(*) FROM shop.sales"), [["0"]]);
    assertEquals(reported.at(-1), [30, 30]);
  });

  it("fillStagingTable() builds the primary key and the added indexes of shop.sales, and keeps its owner", async () => {
    await testbed.sql(
      "CREATE ROLE owner_of_sales; GRANT ALL ON SCHEMA shop TO owner_of_sales; ALTER TABLE shop.sales OWNER TO owner_of_sales; CREATE INDEX by_date ON shop.sales (sale_date, lower(region)) WHERE quantity > 1",
    );
    const table = await fill();
    const definitions = await testbed.values(
      `SELECT regexp_replace(pg_get_indexdef(indexrelid), '^.* USING ', '') FROM pg_index WHERE indrelid = '${table}'::regclass ORDER BY indisprimary DESC`,
    );
    assertEquals(definitions.flat(), [
      "btree (sale_id)",
      "btree (sale_date, lower(region)) WHERE (quantity > 1)",
    ]);
    assertEquals(
      await testbed.values(`SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = '${table}'::regclass`),
      [["owner_of_sales"]],
    );
  });

  it("dropStaleStagingTables() drops unattached staging tables, and no other table", async () => {
    await fill();
    await testbed.sql(
      "CREATE TABLE shop.sales_part_0123456789ab PARTITION OF shop.sales DEFAULT; CREATE TABLE shop.sales_part_ours (a integer)",
    );
    await testbed.postgres(dropStaleStagingTables);
    assertEquals((await testbed.values(`${STAGING_TABLES} ORDER BY 1`)).flat(), [
      "sales_part_0123456789ab",
      "sales_part_ours",
    ]);
    await testbed.sql("DROP TABLE shop.sales_part_0123456789ab, shop.sales_part_ours");
  });

  it("fillStagingTable() leaves no table when a part has fewer rows than its manifest", async () => {
    await forgePart(testbed.store, "run", "clean", (text) => text.replace(/^1,.*\n/m, ""));
    await assertRejects(() => fill(), SalesflowError, "PostgreSQL copied 19 rows of clean/part-00000.csv");
    assertEquals(await testbed.values(STAGING_TABLES), []);
  });

  it("checkRowCount() throws with a remedy when the counts differ", () => {
    checkRowCount(3, 3, "clean/part-00000.csv", "run");
    const error = assertThrows(
      () => checkRowCount(2, 3, "clean/part-00000.csv", "run"),
      SalesflowError,
      "PostgreSQL copied 2 rows of clean/part-00000.csv, the manifest says 3",
    );
    assertEquals(error.remedy, 'Run "salesflow clean --run-id run" again.');
  });
});
