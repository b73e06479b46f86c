import { assertEquals, assertRejects } from "@std/assert";
import { afterAll, describe, it } from "@std/testing/bdd";
import { SalesflowError } from "../../../lib/console/errors.ts";
import { productsPath, readProductColumns } from "../../../lib/dataset/products.ts";
import { makeTestStore } from "../store/harness.ts";

const place = await makeTestStore();
const { store } = place;
afterAll(() => place.remove());

describe("readProductColumns()", () => {
  it("returns the columns of generated and of ingested catalogues", async () => {
    const five = ["product_id", "name", "category", "price_from", "price_to"];
    await store.writeText(productsPath("generated"), `${five.join()}\n1,Mug,Home,1.00,2.00\n`);
    await store.writeText(productsPath("ingested"), `${five.join()},sku\n`);
    assertEquals(await readProductColumns(store, "generated"), five as never);
    assertEquals(await readProductColumns(store, "ingested"), [...five, "sku"] as never);
  });

  it("returns undefined when a run has no catalogue", async () => {
    assertEquals(await readProductColumns(store, "none"), undefined);
  });

  it("refuses other columns", async () => {
    await store.writeText(productsPath("odd"), "id,title\n1,Mug\n");
    const error = await assertRejects(() => readProductColumns(store, "odd"), SalesflowError, "line 1");
    assertEquals([error.runId, typeof error.remedy], ["odd", "string"]);
  });
});
