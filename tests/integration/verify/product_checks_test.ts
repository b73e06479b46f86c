import { assertEquals } from "@std/assert";
import { afterAll, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import { openDataset } from "../../../lib/dataset/dataset.ts";
import { Findings } from "../../../lib/verify/checks.ts";
import { checkProducts } from "../../../lib/verify/product_checks.ts";
import type { MeasuredFiles } from "../../../lib/verify/measure_files.ts";
import { changeText, makeSales, Testbed, writeRunFiles } from "../tables/harness.ts";

const PATH = "runs/run/raw/products.csv";
const CONTENT = "content: raw/products.csv = shop.products";

const PRODUCTS = ['10,"Tea, ""green""",Food,1.00,20.50', "2,Кружка,Home,0.01,99999999.99"];

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

  async function writeRun(source: "generated" | "ingested", products = PRODUCTS): Promise<void> {
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

  it("checkProducts() tells products apart whose numbers are the same as doubles", async () => {
    const ids = ["9223372036854775807", "9007199254740993", "9007199254740992", "9223372036854775806"];
    const values = ids.map((id) => `(${id}, 'Product ${id}', 'Home', 1, 2)`);
    await testbed.sql(`INSERT INTO shop.products VALUES ${values.join(", ")}`);
    await writeRun("ingested", [...ids.map((id) => `${id},Product ${id},Home,1.00,2.00`), ...PRODUCTS]);
    assertEquals(await runChecks(), [[CONTENT, true]]);
    await testbed.sql(
      "UPDATE shop.products SET product_id = 9007199254740991 WHERE product_id = 9007199254740992",
    );
    assertEquals(await runChecks(), [[CONTENT, false]]);
    await testbed.sql("DELETE FROM shop.products WHERE product_id > 10");
  });

  it("checkProducts() fails when a product_id of the file is no number", async () => {
    await writeRun("ingested", [...PRODUCTS, "ten,Cup,Home,1.00,2.00"]);
    assertEquals(await runChecks(), [[CONTENT, false]]);
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
