import { assertEquals } from "@std/assert";
import { afterAll, describe, it } from "@std/testing/bdd";
import { ingest } from "../../../lib/ingest/ingest.ts";
import { findInputs } from "../../../lib/ingest/inputs.ts";
import { parseSourceFile } from "../../../lib/ingest/source/source_file.ts";
import { toSurrogateKey } from "../../../lib/ingest/values/ids.ts";
import { makeContext, makeTestStore, readFile, RUN_ID, sha256 } from "../store/harness.ts";

const place = await makeTestStore();
const { store, folder } = place;
afterAll(() => place.remove());

const SOURCE = parseSourceFile(
  `version: 1
on_conflict: last
currency: {value: RUB}
only: [{column: Status, in: [paid], name: unpaid}]
columns: {sale_id: Order, customer_id: {value: "7"}, product_id: SKU, quantity: {value: "1"}, sale_date: Date,
  sale_amount: Total, region: {value: North}, product_name: Title}
`,
  "shop.yaml",
);

describe("IngestJob", () => {
  it("sums up files of different formats in the facts, and writes products and ids once", async () => {
    const header = "Order,SKU,Date,Total,Status,Title\n";
    await Deno.writeTextFile(
      `${folder}/1.csv`,
      `${header}1,A-1,16.11.2026,5.00,paid,Mug\n\n2,7,16.11.2026,3.00,open,Cup\n`,
    );
    await Deno.writeTextFile(
      `${folder}/2.jsonl`,
      '{"Order":3,"SKU":"A-1","Date":"2026-11-16","Total":2,"Status":"paid","Title":"Blue, mug"}\n',
    );
    const context = makeContext(store);
    const inputs = await findInputs(["1.csv", "2.jsonl"], folder, "names");
    const rules = { source: SOURCE, lookups: [], copies: false };
    const { rowsIn, rowsOut, facts } = await ingest(context, { inputs, rules, workers: 2 });
    assertEquals([rowsIn, rowsOut], [3, 2]);
    const { products_sha256, exports, ...others } = facts;
    assertEquals(others, {
      source: "ingested",
      files: ["1.csv", "2.jsonl"],
      line_offsets: [0, 1],
      lines: { read: 5, header: 1, records: 3, blank: 1, inside: 0 },
      excluded: { unpaid: 1 },
      excluded_amounts: { unpaid: "3.00" },
      ids: 1,
      on_conflict: "last",
      currency: "RUB",
    });
    assertEquals((exports as { name: string; bytes: number }[]).map(({ name }) => name), [
      "1.csv",
      "2.jsonl",
    ]);
    const products = await readFile(store, `runs/${RUN_ID}/raw/products.csv`);
    const key = toSurrogateKey("A-1").digits;
    assertEquals(
      new TextDecoder().decode(products),
      `product_id,name,category,price_from,price_to,sku\n${key},"Blue, mug","",,,A-1\n`,
    );
    assertEquals(products_sha256, sha256(products));
    assertEquals(await store.readText(`runs/${RUN_ID}/ids/part-00000.csv`), `number,text\n${key},A-1\n`);
  });
});
