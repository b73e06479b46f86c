import { assertEquals, assertRejects } from "@std/assert";
import { afterAll, describe, it } from "@std/testing/bdd";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { UsageError } from "../../../../lib/console/errors.ts";
import { findInputs } from "../../../../lib/ingest/inputs.ts";
import { takeSample } from "../../../../lib/ingest/suggest/sample.ts";

const folder = await Deno.makeTempDir({ prefix: "salesflow-sample-" });
afterAll(() => Deno.remove(folder, { recursive: true }));

async function sample(...files: (readonly [name: string, content: string | Uint8Array])[]) {
  for (const [name, content] of files) {
    await Deno.writeFile(
      `${folder}/${name}`,
      typeof content === "string" ? new TextEncoder().encode(content) : content,
    );
  }
  return await takeSample(await findInputs(files.map(([name]) => name), folder, "names"));
}

describe("takeSample()", () => {
  it("reads compressed text, and adds files whose columns stand in another order", async () => {
    const { names, rows, files, others } = await sample(
      ["a.csv.gz", gzipSync("Order,SKU\n1,A\n")],
      ["b.csv", "SKU,Order,More\nB,2,x\n"],
      ["c.csv", "Order,Date\n3,2026-11-10\n"],
    );
    assertEquals([names, rows], [["Order", "SKU"], [["1", "A"], ["2", "B"]]]);
    assertEquals([files.length, others], [2, [`${folder}/c.csv`]]);
  });

  it("reads JSON lines with the members of members, and old line ends", async () => {
    const json = await sample(["a.jsonl", '{"order":{"id":1},"sku":"A"}\nnot json\n']);
    assertEquals([json.names, json.rows, json.broken, json.headerLine], [
      ["order.id", "sku"],
      [["1", "A"]],
      1,
      0,
    ]);
    const old = await sample(["old.csv", "Order,SKU\r1,A\r2,B\r"]);
    assertEquals(old.rows, [["1", "A"], ["2", "B"]]);
  });

  it("takes the sheet of a workbook that holds sales, and rows of Parquet", async () => {
    const workbook = fileURLToPath(
      new URL("../../../integration/ingest/data/marketplace.xlsx", import.meta.url),
    );
    const { sheet, headerLine, rows } = await takeSample(await findInputs([workbook], folder, "names"));
    assertEquals([sheet, headerLine, rows.length], ["Продажи", 3, 7]);
    const parquet = fileURLToPath(new URL("../formats/data/codec_snappy.parquet", import.meta.url));
    const table = await takeSample(await findInputs([parquet], folder, "names"));
    assertEquals([table.isTyped, table.rows.every((row) => row.length === table.names.length)], [true, true]);
  });

  it("looks at a part of a large file only", async () => {
    const { rows, isPart } = await sample(["large.csv", "Order,SKU\n" + "1,A\n".repeat(30_000)]);
    assertEquals([rows.length, isPart], [20_000, true]);
  });

  it("refuses files without a table, by name", async () => {
    const error = await assertRejects(() => sample(["x.csv", "1,2\n3,4\n"]), UsageError);
    assertEquals(error.message, `${folder}/x.csv has no header with sales below it, in its first lines`);
  });
});
