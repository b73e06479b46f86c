import { assertRejects, assertStringIncludes } from "@std/assert";
import { afterAll, describe, it } from "@std/testing/bdd";
import { suggestFor } from "../../../../cli/source/suggest.ts";
import { UsageError } from "../../../../lib/console/errors.ts";

const folder = await Deno.makeTempDir({ prefix: "salesflow-suggest-" });
afterAll(() => Deno.remove(folder, { recursive: true }));

describe("suggestFor()", () => {
  it("names the files as they were given, and takes folders", async () => {
    await Deno.writeTextFile(`${folder}/orders.csv`, "Order,SKU,Qty\n1,A,1\n");
    const yaml = await suggestFor([folder]);
    assertStringIncludes(yaml, `files: ["${folder}"]`);
    assertStringIncludes(yaml, "  product_id: SKU\n");
  });

  it("refuses what is not there", async () => {
    await assertRejects(() => suggestFor([`${folder}/none-*.csv`]), UsageError, "no file that fits");
  });
});
