import { assertEquals } from "@std/assert";
import { afterAll, describe, it } from "@std/testing/bdd";
import { captureLog } from "../console/captured_log.ts";
import { findInputs } from "../../../lib/ingest/inputs.ts";
import { preview, type PreviewedRow } from "../../../lib/ingest/preview.ts";
import { parseSourceFile } from "../../../lib/ingest/source/source_file.ts";
import { toSurrogateKey } from "../../../lib/ingest/values/ids.ts";

const folder = await Deno.makeTempDir({ prefix: "salesflow-preview-" });
afterAll(() => Deno.remove(folder, { recursive: true }));

const SOURCE = parseSourceFile(
  `version: 1
only: [{column: Status, in: [paid], name: unpaid}]
columns: {sale_id: Order, customer_id: {value: "7"}, product_id: SKU, quantity: {value: "1"}, sale_date: Date,
  sale_amount: Total, region: {value: North}}
`,
  "shop.yaml",
);
const RULES = { source: SOURCE, lookups: [], copies: false };

async function previewOf(name: string, content: string) {
  await Deno.writeTextFile(`${folder}/${name}`, content);
  const rows: PreviewedRow[] = [];
  const inputs = await findInputs([name], folder, "names");
  return { rows, ...await preview(inputs, RULES, (row) => rows.push(row)) };
}

describe("preview()", () => {
  it("returns rows before and after with their lines, exclusions, and the texts of ids", async () => {
    const { rows, excluded, texts } = await previewOf(
      "a.csv",
      "Orders\nOrder,SKU,Date,Total,Status\n1,A-1,16.11.2026,5.00,paid\n\n2,7,16.11.2026,3.00,open\n3,7,soon,1.00,paid\n",
    );
    const key = toSurrogateKey("A-1").digits;
    assertEquals(rows.map(({ line, before, after }) => [line, before, after]), [
      [3, "1,A-1,16.11.2026,5.00,paid", `1,7,${key},1,2026-11-16,5.00,North`],
      [6, "3,7,soon,1.00,paid", "3,7,7,1,soon,1.00,North"],
    ]);
    assertEquals(excluded.get("unpaid"), {
      lines: 1,
      cents: 300n,
      firstLine: 5,
      file: `${folder}/a.csv`,
    });
    assertEquals(texts, new Map([[key, "A-1"]]));
  });

  it("warns of what ingest warns of", async () => {
    const records = await captureLog(() =>
      previewOf("lone.csv", 'Order,SKU,Date,Total,Status\n1,"A-1,16.11.2026,5.00,paid\n')
    );
    assertEquals(records.map(({ message }) => message), [
      `${folder}/lone.csv: a quote without an end was read as a character on lines 2`,
    ]);
  });

  it("counts lines from 1 where there is no header", async () => {
    const { rows } = await previewOf(
      "a.jsonl",
      '{"Order":1,"SKU":7,"Date":"2026-11-16","Total":5,"Status":"paid"}\nno json\n',
    );
    assertEquals(rows.map(({ line, after }) => [line, after]), [
      [1, "1,7,7,1,2026-11-16,5,North"],
      [2, '"no json"'],
    ]);
  });
});
