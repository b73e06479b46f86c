import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { UsageError } from "../../../../lib/console/errors.ts";
import { parseSourceFile } from "../../../../lib/ingest/source/source_file.ts";
import { suggestSource } from "../../../../lib/ingest/suggest/suggest.ts";
import { mapBySuggestion, sampleOf, suggestFor } from "./harness.ts";

/** Exports in the layouts of shop systems, and what must come of them once places and open statuses are decided. */
const SHOPS: Record<string, { rows: string[]; excluded: Record<string, number> }> = {
  "shopify.csv": {
    rows: ["#2001-1 CUP 2 2026-11-10 20.00", "#2001-2 PLT 1 2026-11-10 10.00"],
    excluded: { unpaid: 1 },
  },
  "woocommerce.csv": {
    rows: ["501/1 CUP 2 2026-11-10 20.00", "501/2 PLT 1 2026-11-10 10.00", "503/1 CUP 1 2026-11-11 10.00"],
    excluded: { not_completed: 1 },
  },
  "prestashop.csv": {
    rows: ["7/1 demo_1 2 2026-11-10 38.24", "7/2 demo_2 1 2026-11-10 28.72"],
    excluded: { unpaid: 1 },
  },
  "amazon_orders.txt": {
    rows: ["111-1/1 ST-15 2 2026-11-10 38.00", "111-1/2 CB-1 1 2026-11-10 5.00"],
    excluded: { not_completed: 1 },
  },
  "amazon_settlement.txt": {
    rows: ["55501 ST-15 2 2026-11-11 40.00", "55502 CB-1 1 2026-11-11 5.00"],
    excluded: { total: 1, not_principal: 1, return: 1 },
  },
  "ozon.csv": {
    rows: ["0101/1 L-1 2 2026-11-10 2000.00", "0101/2 S-1 1 2026-11-10 500.00"],
    excluded: { not_delivered: 2 },
  },
  "wildberries.csv": {
    rows: ["s1 L-1 1 2026-11-10 1000.00", "s3 S-1 1 2026-11-12 500.00"],
    excluded: { not_sale: 1, return: 1 },
  },
  "one_c.csv": {
    rows: [
      "Реализация 0001-Чайник-1 Чайник 2.000 2026-11-09 2469.12",
      "Реализация 0001-Кружка-2 Кружка 1.000 2026-11-09 390.00",
      "Реализация 0002-Кружка-1 Кружка 3.000 2026-11-10 1170.00",
    ],
    excluded: { total: 1 },
  },
  "bitrix.csv": {
    rows: ["77/1 L-1 2 2026-11-10 2000.00", "77/2 S-1 1 2026-11-10 500.00"],
    excluded: { not_completed: 1 },
  },
  "square.csv": {
    rows: ["T1-1 LAT 2.0 2026-11-10 1007.00", "T1-2 Brownie 1.0 2026-11-10 3.00"],
    excluded: { return: 1 },
  },
  "online_retail.csv": {
    rows: [
      "489434/1 85048 12 2026-11-01 83.40",
      "489434/2 79323P 12 2026-11-01 81.00",
      "489435/1 79323P 2 2026-11-01 13.50",
    ],
    excluded: {},
  },
  "superstore.csv": {
    rows: [
      "CA-1/1 FUR-1 2 2026-11-08 261.96",
      "CA-1/2 FUR-2 3 2026-11-08 731.94",
      "CA-2/1 OFF-1 2 2026-06-12 14.62",
    ],
    excluded: {},
  },
};

describe("suggestSource()", () => {
  for (const [name, expected] of Object.entries(SHOPS)) {
    it(`reads ${name}, but for what nobody can know`, async () => {
      assertEquals(await mapBySuggestion(name), expected);
    });
  }

  it("asks about everything that the export does not tell, and ingest refuses the file until it is decided", async () => {
    const { yaml, source } = await suggestFor("ambiguous.csv");
    const { sale_id, customer_id, quantity, sale_date } = source.columns as Record<string, unknown>;
    assertEquals([sale_id, customer_id, quantity], ["DECIDE", "Customer", "Qty"]);
    assertEquals(sale_date, { column: "Order date", format: "DECIDE: d/M/yyyy or M/d/yyyy" });
    assertStringIncludes(yaml, "Candidates: Bestellung");
    assertStringIncludes(yaml, "does the comma of 1,250 stand before decimals");
    const { message, remedy, exitCode } = assertThrows(() => parseSourceFile(yaml, "shop.yaml"), UsageError);
    assertEquals(exitCode, 2);
    const line = yaml.split("\n").findIndex((each) => each.startsWith("  sale_id:")) + 1;
    assertStringIncludes(message, `shop.yaml line ${line}: columns, sale_id is not decided`);
    assertStringIncludes(message, "format is not decided: d/M/yyyy or M/d/yyyy");
    assertStringIncludes(remedy!, "in place of DECIDE");
  });

  it("stays YAML whatever the names and values are", () => {
    const names = `Order: #1,"Cust ""x"" {y}",SKU,Qty,Date,"Line total",City`;
    const rows = `1,a: b #c,"[x]",1,2026-11-10,5.00,"- ""no"": [\\"\n2,&d,*e,1,2026-11-10,5.00,~\n`;
    const yaml = suggestSource(sampleOf(`${names}\n${rows}`), ["a b: c.csv", "*.csv"]);
    const { message } = assertThrows(() => parseSourceFile(yaml, "shop.yaml"), UsageError);
    assertStringIncludes(message, "is not decided");
    const lines = [...yaml.matchAll(/^ {6}(.*): DECIDE # 1 line$/gm)].map(([, key]) => JSON.parse(key!));
    assertEquals(lines, ['- "no": [\\', "~"]);
  });

  it("tells what was looked at, and which files need a source file of their own", () => {
    const sample = { ...sampleOf("Order,SKU,Qty\n1,A,1\n"), others: ["other.csv"], broken: 1, isPart: true };
    const yaml = suggestSource(sample, []);
    assertStringIncludes(yaml, "the first 1 records of shop.csv");
    assertStringIncludes(yaml, "1 line is no record");
    assertStringIncludes(yaml, "source file of their own: other.csv");
  });
});
