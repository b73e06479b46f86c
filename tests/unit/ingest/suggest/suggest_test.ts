import { assertEquals, assertStringIncludes } from "@std/assert";
import { afterAll, describe, it } from "@std/testing/bdd";
import { fileURLToPath } from "node:url";
import { clean } from "../../../../lib/clean/clean.ts";
import { fromCents, toCents } from "../../../../lib/domain/money.ts";
import { readManifest } from "../../../../lib/dataset/dataset.ts";
import { checkExports, ingest } from "../../../../lib/ingest/ingest.ts";
import { findInputs } from "../../../../lib/ingest/inputs.ts";
import { loadSource } from "../../../../lib/ingest/source/load_source.ts";
import { parseSourceFile } from "../../../../lib/ingest/source/source_file.ts";
import { readSample } from "../../../../lib/ingest/suggest/sample.ts";
import { suggestSource, toYaml } from "../../../../lib/ingest/suggest/suggest.ts";
import { makeContext, makeTestStore, readRows } from "../../store/harness.ts";
import expected from "../../../integration/ingest/data/expected.json" with { type: "json" };

const DATA = fileURLToPath(new URL("../../../integration/ingest/data/", import.meta.url));
const place = await makeTestStore();
afterAll(() => place.remove());

async function suggest(path: string): Promise<string> {
  const [input] = await findInputs([path], place.folder, "names");
  return suggestSource(await readSample(input!), [path]);
}

/** What only the shop knows: the regions of the samples; an empty one is one that the shop does not know, either. */
const REGIONS: Record<string, string> = {
  ...{ "United Kingdom": "West", France: "West", Germany: "North", Norway: "" },
  ...{ MOS: "North", SPE: "North", KDA: "South", NVS: "East" },
  ...{ Москва: "North", Казань: "East", Краснодар: "South", Тюмень: "" },
  ...{ "Северо-Запад": "North", Юг: "South", Урал: "East", Сибирь: "West" },
};

function decide(yaml: string): string {
  return yaml.replaceAll(/"(.*)": DECIDE/g, (_, value: string) => `"${value}": "${REGIONS[value]}"`);
}

function counted(reasons: unknown): Record<string, number> {
  return Object.fromEntries(
    Object.entries(reasons as Record<string, number>).filter(([, count]) => count > 0),
  );
}

function sumBy(
  rows: readonly string[][],
  column: number,
): Record<string, { total_sales: number; total_amount: string }> {
  const sums = new Map<string, { sales: number; cents: bigint }>();
  for (const row of rows) {
    const sum = sums.get(row[column]!) ?? { sales: 0, cents: 0n };
    sums.set(row[column]!, { sales: sum.sales + 1, cents: sum.cents + toCents(row[5]!) });
  }
  return Object.fromEntries(
    [...sums].map(([key, { sales, cents }]) => [key, { total_sales: sales, total_amount: fromCents(cents) }]),
  );
}

describe("suggestSource()", () => {
  const FILES = { shopify: "csv", online_retail: "csv", onec: "csv", marketplace: "xlsx", events: "jsonl" };
  for (const [name, sample] of Object.entries(expected)) {
    it(`is right for the sample ${name} but for the regions, which it lists`, async () => {
      const yaml = await suggest(`${DATA}${name}.${FILES[name as keyof typeof FILES]}`);
      const source = `${place.folder}/${name}.yaml`;
      await Deno.writeTextFile(source, decide(yaml));
      const rules = await loadSource(source);
      const inputs = await findInputs(rules.source.files, place.folder, "names");
      const context = makeContext(place.store, { runId: name.replace("_", "-"), asOf: sample.as_of });
      await checkExports({ inputs, rules, workers: 1 }, context.signal);
      await ingest(context, { inputs, rules, workers: 1 });
      const { facts } = await clean(context, { maxRejected: 1, checkDateRange: true, workers: 1 });

      const raw = (await readManifest(place.store, context.runId, "raw"))!;
      assertEquals(raw.facts.excluded, sample.excluded);
      assertEquals(raw.facts.excluded_amounts, sample.excluded_amounts);
      assertEquals([facts.rows_in, facts.rows_out, facts.duplicates], [
        sample.rows_in,
        sample.clean,
        sample.duplicates,
      ]);
      assertEquals(counted(facts.rejected_by_reason), sample.rejected);
      const rows = (await readRows(place.store, "clean", { runId: context.runId })).map((line) =>
        line.split(",")
      );
      assertEquals(sumBy(rows, 6), sample.regions);
    });
  }

  /** Exports in the layouts of shops, each with what its source file must say. */
  const LAYOUTS: [system: string, text: string, says: string[]][] = [
    [
      "WooCommerce",
      "Order Number,Order Status,Order Date,Email (Billing),City (Shipping),SKU,Item Name,Quantity (- Refund),Item Cost,Discount Amount\n" +
      "501,completed,2026-11-10 10:00,a@x.example,Omsk,MUG,Mug,2,10.00,0\n501,completed,2026-11-10 10:00,a@x.example,Omsk,PAN,Pan,1,30.00,5.00\n" +
      "502,cancelled,2026-11-11 10:00,b@x.example,Tver,MUG,Mug,1,10.00,0\n",
      [
        '{join: [Order Number, {line_within: Order Number}], with: "-"}',
        "product_id: SKU",
        'quantity: "Quantity (- Refund)"',
        'sale_amount: "[Item Cost] * [Quantity (- Refund)] - [Discount Amount]"',
        "in: [completed], name: not_delivered",
        '"Omsk": DECIDE # 2',
      ],
    ],
    [
      "Amazon orders",
      "amazon-order-id\tpurchase-date\torder-status\tproduct-name\tsku\tasin\tquantity\tcurrency\titem-price\tship-state\n" +
      "1-1\t2026-11-10T10:00:00+00:00\tShipped\tMug\tM-1\tB01\t2\tUSD\t20.00\tTX\n1-2\t2026-11-10T11:00:00+00:00\tCancelled\tMug\tM-1\tB01\t1\tUSD\t10.00\tCA\n",
      [
        "sale_id: amazon-order-id",
        "product_id: sku",
        "sale_date: purchase-date",
        "sale_amount: item-price",
        "currency: {column: currency, is: USD}",
        "in: [Shipped]",
        '"TX": DECIDE',
      ],
    ],
    [
      "Wildberries",
      "Предмет;Артикул поставщика;Обоснование для оплаты;Дата продажи;Кол-во;Вайлдберриз реализовал Товар (Пр);Srid;Склад\n" +
      "Кружка;К-1;Продажа;2026-11-10;1;500,00;s1;Коледино\nКружка;К-1;Возврат;2026-11-11;1;500,00;s2;Коледино\nКружка;К-1;Логистика;2026-11-11;0;0;s3;Коледино\n",
      [
        "sale_id: Srid",
        "product_id: Артикул поставщика",
        "in: [Продажа, Возврат], name: no_sale",
        "returns: {column: Обоснование для оплаты, in: [Возврат]}",
        "region: DECIDE",
        'numbers: {decimal: ","}',
      ],
    ],
    [
      "a superstore",
      "Row ID,Order ID,Order Date,Customer ID,Region,Product ID,Category,Product Name,Sales,Quantity,Discount\n" +
      "1,CA-1,11/16/2026,CG-1,South,FUR-1,Furniture,Bookcase,261.96,2,0\n2,CA-1,11/16/2026,CG-1,South,FUR-2,Furniture,Chair,731.94,3,0\n3,CA-2,11/28/2026,DV-1,West,OFF-1,Office,Label,14.62,2,0\n",
      [
        '{join: [Order ID, {line_within: Order ID}], with: "-"}',
        'sale_date: {column: Order Date, format: "M/d/yyyy"}',
        "sale_amount: Sales",
        "region: Region",
        "product_category: Category",
      ],
    ],
  ];
  for (const [system, text, says] of LAYOUTS) {
    it(`reads the layout of ${system}`, async () => {
      const path = `${place.folder}/layout.csv`;
      await Deno.writeTextFile(path, text);
      const yaml = await suggest(path);
      for (const each of says) assertStringIncludes(yaml, each);
    });
  }

  it("says what it does not find, and is refused until that is decided", async () => {
    const path = `${place.folder}/odd.csv`;
    await Deno.writeTextFile(path, "quantity,price,date,x: y\n2,3.00,2026-11-16,1\n");
    const yaml = await suggest(path);
    assertStringIncludes(
      yaml,
      "# DECIDE: no column looks like the number of an order or a sale\n  sale_id: DECIDE",
    );
    assertStringIncludes(yaml, "product_id: DECIDE");
    const error = catchError(() => parseSourceFile(yaml, "shop.yaml"));
    assertStringIncludes(error, "sale_id is not decided");
    assertStringIncludes(error, "region is not decided");
  });
});

function catchError(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("nothing was thrown");
}

describe("toYaml()", () => {
  it("quotes what YAML would read otherwise", () => {
    assertEquals(["Order ID", "Дата", "a: b", "#1", "a #b", "[x]", "", "007", " x"].map(toYaml), [
      "Order ID",
      "Дата",
      '"a: b"',
      '"#1"',
      '"a #b"',
      '"[x]"',
      '""',
      '"007"',
      '" x"',
    ]);
  });
});
