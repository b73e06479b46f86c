import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { fileURLToPath } from "node:url";
import { SalesflowError } from "../../../lib/console/errors.ts";
import type { ChunkContent } from "../../../lib/ingest/chunks/chunk.ts";
import { openWorkbook } from "../../../lib/ingest/open_table.ts";
import { parseSourceFile } from "../../../lib/ingest/source/source_file.ts";

const DATA = fileURLToPath(new URL("../../integration/ingest/data/", import.meta.url));
const PATH = `${DATA}marketplace.xlsx`;
const YAML = await Deno.readTextFile(`${DATA}marketplace.yaml`);

const searchOf = (yaml: string) => ({
  source: parseSourceFile(yaml, "shop.yaml"),
  copies: false,
  file: "m.xlsx",
});

function recordsOf(chunks: readonly ChunkContent[]) {
  return chunks.flatMap((chunk) => chunk.kind === "records" ? chunk.records : []);
}

describe("openWorkbook()", () => {
  it("finds the header below a title, and counts lines below it", async () => {
    const opened = await openWorkbook(PATH, searchOf(YAML.replace(", header: 3", "")));
    assertEquals([opened.header.line, opened.header.lastLine], [3, 3]);
    const chunks = await Array.fromAsync(opened.chunks);
    await opened.close();
    const records = recordsOf(chunks);
    assertEquals(records[0]!.line, 1);
    assertEquals(records[0]!.values![0], "0001-0001-1");
    assertEquals(records.every(({ values }) => values!.length === opened.header.names.length), true);
    assertEquals(chunks.map((chunk) => chunk.kind === "records" ? chunk.lines : 0), [records.at(-1)!.line]);
  });

  it("names the columns that are missing, and those that there are", async () => {
    const yaml = YAML.replace("Артикул", "SKU");
    const error = await assertRejects(() => openWorkbook(PATH, searchOf(yaml)), SalesflowError);
    assertEquals(error.exitCode, 2);
    assertEquals(error.message.includes("m.xlsx line 3: there is no column SKU (for product_id)"), true);
    assertEquals(error.message.includes("Артикул"), true);
  });
});
