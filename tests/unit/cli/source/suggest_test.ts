import { assertRejects, assertStringIncludes } from "@std/assert";
import { afterAll, describe, it } from "@std/testing/bdd";
import { suggestFor } from "../../../../cli/source/suggest.ts";
import { SalesflowError } from "../../../../lib/console/errors.ts";

const folder = await Deno.makeTempDir({ prefix: "salesflow-suggest-" });
afterAll(() => Deno.remove(folder, { recursive: true }));

describe("suggestFor()", () => {
  it("looks at the first of the exports, and names them as they were given", async () => {
    const header = "Order ID,SKU,Quantity,Price,Date,Region\n";
    const [first, second] = [`${folder}/a.csv`, `${folder}/b.csv`];
    await Deno.writeTextFile(first, `${header}1,M,1,2.00,2026-11-16,North\n`);
    await Deno.writeTextFile(second, `${header}2,M,1,2.00,2026-11-16,North\n`);
    const text = await suggestFor([first, second]);
    assertStringIncludes(text, `files: ["${first}", "${second}"]`);
    assertStringIncludes(text, "all 1 records");
  });

  it("throws SalesflowError when there is no such file", async () => {
    await assertRejects(() => suggestFor([`${folder}/none.csv`]), SalesflowError, "There is no file");
  });
});
