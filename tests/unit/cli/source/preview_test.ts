import { assertStringIncludes } from "@std/assert";
import { afterAll, describe, it } from "@std/testing/bdd";
import { previewSource } from "../../../../cli/source/preview.ts";

const folder = await Deno.makeTempDir({ prefix: "salesflow-preview-" });
afterAll(() => Deno.remove(folder, { recursive: true }));

describe("previewSource()", () => {
  it("names places that a lookup lacks, with their lines; a lookup in the folder is no export", async () => {
    const inbox = `${folder}/inbox`;
    await Deno.mkdir(inbox);
    await Deno.writeTextFile(
      `${inbox}/shop.yaml`,
      `version: 1
files: [.]
columns: {sale_id: Order, customer_id: {value: "7"}, product_id: SKU, quantity: {value: "1"}, sale_date: Date,
  sale_amount: Total, region: {column: Town, lookup: towns.csv}}
`,
    );
    await Deno.writeTextFile(`${inbox}/towns.csv`, "town,region\nTula,South\n");
    const sales = ["Tula", "Omsk", "Perm", "Omsk"].map((town, index) =>
      `${index},A,2026-11-16,5.00,${town}\n`
    );
    await Deno.writeTextFile(`${inbox}/orders.csv`, `Order,SKU,Date,Total,Town\n${sales.join("")}`);
    const text = await previewSource({
      source: `${inbox}/shop.yaml`,
      files: [],
      rows: 0,
      asOf: "2026-11-16",
    });
    const file = `${inbox}/orders.csv`;
    assertStringIncludes(
      text,
      `or give it a default:\n  Omsk: 2 lines, the first is ${file} line 3\n  Perm: 1 line, the first is ${file} line 4\n`,
    );
  });

  it("reads the files that the source file names, checks dates as of a day, and escapes what it shows", async () => {
    await Deno.writeTextFile(
      `${folder}/shop.yaml`,
      `version: 1
files: [orders-*.csv]
columns: {sale_id: Order, customer_id: {value: "7"}, product_id: SKU, quantity: {value: "1"}, sale_date: Date,
  sale_amount: Total, region: {value: North}}
`,
    );
    const header = "Order,SKU,Date,Total\n";
    await Deno.writeTextFile(`${folder}/orders-1.csv`, `${header}1,\x1b[31mA,2026-11-16,5.00\n`);
    await Deno.writeTextFile(`${folder}/orders-2.csv`, `${header}2,B,2025-11-16,1.50\n1,2\n`);
    const text = await previewSource({
      source: `${folder}/shop.yaml`,
      files: [],
      rows: 2,
      asOf: "2026-11-16",
    });
    for (
      const part of [
        "orders-1.csv line 2\n  1,\\u001b[31mA,2026-11-16,5.00",
        "orders-2.csv line 2",
        "rejected: date_out_of_range",
        "rejected: malformed_row",
        "as of 2026-11-16",
      ]
    ) assertStringIncludes(text, part);
  });
});
