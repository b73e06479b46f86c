import { assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { aggregate } from "../../../lib/aggregate/aggregate.ts";
import { SalesflowError } from "../../../lib/console/errors.ts";
import { load } from "../../../lib/load/load.ts";
import { writeStage } from "../../../lib/pipeline/records.ts";
import { queryOverview, readOverview, readRawFiles } from "../../../lib/report/read_overview.ts";
import { withSnapshot } from "../../../lib/report/snapshot.ts";
import { stageRecord } from "../../unit/pipeline/stage_record.ts";
import { type Sale, Testbed, writeRunFiles } from "../tables/harness.ts";

/** Product 1 has 60% of the amount, product 2 the rest. */
const SALES: Sale[] = [
  [1, 1, 1, 2, "2026-10-01", "600.00", "North"],
  [2, 1, 2, 1, "2026-10-02", "300.00", "West"],
  [3, 2, 2, 1, "2026-10-02", "100.00", "North"],
];

describe("read_overview", () => {
  let testbed: Testbed;
  beforeAll(async () => {
    testbed = await Testbed.open(["postgres"]);
    await testbed.createPostgresTables();
    await writeRunFiles(testbed.store, {
      runId: "run",
      source: "generated",
      parts: [SALES],
      products: ["1,Chair,Home,1.00,2.00"],
      rejected: [[0, 5, "invalid_amount", "x"]],
      duplicates: 1,
    });
    await writeStage(testbed.store, "run", stageRecord("load"));
    await writeStage(testbed.store, "run", stageRecord("generate"));
    await load(testbed.context("run"));
  });
  afterAll(() => testbed.close());

  it("readOverview() throws when the run is not aggregated", async () => {
    const error = await assertRejects(() => readOverview(testbed.context("run")), SalesflowError, "is empty");
    assertEquals(error.remedy, 'Run "salesflow aggregate --run-id run" first.');
  });

  it("readOverview() returns totals, regions, products, quality and stages", async () => {
    await aggregate(testbed.context("run"));
    const { run, total, regions, products, quality, stages } = await readOverview(testbed.context("run"));
    assertEquals(run, {
      runId: "run",
      asOf: "2026-11-24",
      source: "generated",
      cleanEngine: "native",
      currency: "RUB",
    });
    assertEquals(total, {
      sales: 3n,
      quantity: 4n,
      amountCents: 100_000n,
      averageCents: 33_333n,
      share: 1_000_000n,
    });
    assertEquals(regions.map(({ region, amountCents, share }) => [region, amountCents, share]), [
      ["North", 70_000n, 700_000n],
      ["West", 30_000n, 300_000n],
    ]);
    assertEquals(
      products.map(({ productId, name, category, cumulativeShare }) => [
        productId,
        name,
        category,
        cumulativeShare,
      ]),
      [[1n, "Chair", "Home", 600_000n], [2n, undefined, undefined, 1_000_000n]],
    );
    const { raw, clean, duplicates, rejected, byReason } = quality;
    assertEquals([raw, clean, duplicates, rejected, byReason.invalid_amount], [5n, 3n, 1n, 1n, 1]);
    assertEquals(stages.map(({ stage }) => stage), ["generate", "load"]);
  });

  it("queryOverview() returns at most the given number of products", async () => {
    const context = testbed.context("run");
    const { products } = await withSnapshot(
      context,
      async (db) => queryOverview(db, context, await readRawFiles(context), 1),
    );
    assertEquals(products.map(({ productId }) => productId), [1n]);
  });

  it("queryOverview() returns every digit of a product_id", async () => {
    const productId = 9223372036854775807n;
    await testbed.sql("UPDATE shop.sales_aggregates SET product_id = $1 WHERE product_id = 1", [productId]);
    const context = testbed.context("run");
    const { products } = await withSnapshot(
      context,
      async (db) => queryOverview(db, context, await readRawFiles(context), 1),
    );
    assertEquals(products.map((product) => product.productId), [productId]);
  });

  it("readRawFiles() finds neither manifest nor catalogue of a run without raw data", async () => {
    const { manifest, catalogue } = await readRawFiles(testbed.context("run"));
    assertEquals([manifest?.run_id, catalogue], ["run", true]);
    assertEquals(await readRawFiles(testbed.context("none")), { manifest: undefined, catalogue: false });
  });
});
