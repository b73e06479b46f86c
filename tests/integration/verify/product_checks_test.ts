import { assertEquals } from "@std/assert";
import { afterAll, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import { openDataset } from "../../../lib/dataset/dataset.ts";
import { Findings } from "../../../lib/verify/checks.ts";
import { checkProducts } from "../../../lib/verify/product_checks.ts";
import type { MeasuredFiles } from "../../../lib/verify/measure_files.ts";
import { changeText, makeSales, Testbed, writeRunFiles } from "../tables/harness.ts";

const PATH = "runs/run/raw/products.csv";
const CONTENT = "content: raw/products.csv = shop.products";

describe("checkProducts()", () => {
  let testbed: Testbed;
  beforeAll(async () => {
    testbed = await Testbed.open(["postgres"]);
    await testbed.createPostgresTables();
    await testbed.sql(
      `INSERT INTO shop.products VALUES (2, 'Кружка', 'Home', 0.01, 99999999.99), (10, 'Tea, "green"', 'Food', 1, 20.5)`,
    );
  });
  afterAll(() => testbed.close());
  // Not in the order of the table.
  beforeEach(() => writeRun("generated"));

  async function writeRun(source: "generated" | "ingested"): Promise<void> {
    const products = ['10,"Tea, ""green""",Food,1.00,20.50', "2,Кружка,Home,0.01,99999999.99"];
    await writeRunFiles(testbed.store, { runId: "run", source, parts: [makeSales(3)], products });
  }

  async function runChecks(): Promise<[string, boolean][]> {
    const findings = new Findings();
    const raw = await openDataset(testbed.store, "run", "raw");
    await testbed.postgres((db) =>
      db.transaction(() => checkProducts(db, testbed.context("run"), { raw } as MeasuredFiles, findings))
    );
    return findings.checks.map(({ name, ok }) => [name, ok]);
  }

  it("checkProducts() passes the same products in another order", async () => {
    assertEquals(await runChecks(), [["checksum: raw/manifest.json = raw/products.csv", true], [
      CONTENT,
      true,
    ]]);
  });

  it("checkProducts() fails checksum and content when the file has changed", async () => {
    await changeText(testbed.store, PATH, (text) => text.replace("green", "black"));
    assertEquals(await runChecks(), [["checksum: raw/manifest.json = raw/products.csv", false], [
      CONTENT,
      false,
    ]]);
  });

  it("checkProducts() fails when the table has another price", async () => {
    await testbed.sql("UPDATE shop.products SET price_to = 20.51 WHERE product_id = 10");
    assertEquals((await runChecks()).at(-1), [CONTENT, false]);
    await testbed.sql("UPDATE shop.products SET price_to = 20.50 WHERE product_id = 10");
  });

  it("checkProducts() requires a catalogue of generated data only", async () => {
    await testbed.store.remove(PATH);
    assertEquals(await runChecks(), [["file: raw/products.csv of generated data", false]]);
    await writeRun("ingested");
    assertEquals(await runChecks(), [[CONTENT, true]]);
    await testbed.store.remove(PATH);
    assertEquals(await runChecks(), []);
  });
});
