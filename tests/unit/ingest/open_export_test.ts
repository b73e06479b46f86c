import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { fileURLToPath } from "node:url";
import { openExport } from "../../../lib/ingest/open_export.ts";
import { parseSourceFile } from "../../../lib/ingest/source/source_file.ts";

const DATA = fileURLToPath(new URL("../../integration/ingest/data/", import.meta.url));

async function search(name: string) {
  return { source: parseSourceFile(await Deno.readTextFile(`${DATA}${name}.yaml`), name), copies: false };
}

async function* bytesOf(name: string): AsyncGenerator<Uint8Array> {
  yield await Deno.readFile(`${DATA}${name}`);
}

describe("openExport()", () => {
  it("opens delimited text, JSON lines and workbooks", async () => {
    const opened = [
      await openExport(
        { name: "shopify.csv", kind: "csv", bytes: bytesOf("shopify.csv") },
        await search("shopify"),
      ),
      await openExport(
        { name: "events.jsonl", kind: "jsonl", bytes: bytesOf("events.jsonl") },
        await search("events"),
      ),
      await openExport(
        { name: "marketplace.xlsx", kind: "xlsx", path: `${DATA}marketplace.xlsx` },
        await search("marketplace"),
      ),
    ];
    assertEquals(opened.map(({ header }) => header.line), [1, 0, 3]);
    assertEquals(opened[1]!.header.names.includes("order.id"), true);
    for (const { close } of opened) await close();
  });
});
