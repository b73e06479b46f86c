import { assertEquals, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { fileURLToPath } from "node:url";
import { isMap, parseDocument } from "yaml";
import { formatMoney } from "../../../lib/domain/money.ts";
import { readManifest } from "../../../lib/dataset/dataset.ts";
import { readIds } from "../../../lib/ingest/id_directory.ts";
import { openStore } from "../../../lib/store/open_store.ts";
import { run, type Servers, startServers } from "../../cli/command.ts";
import expected from "./data/expected.json" with { type: "json" };

const DATA = fileURLToPath(new URL("./data/", import.meta.url));

/** What nobody can know from an export: the region of each place. Places without one are unknown. */
const REGION_OF: Record<string, Record<string, string>> = {
  shopify: { MOS: "North", SPE: "North", KDA: "South", NVS: "East" },
  online_retail: { "United Kingdom": "West", France: "West", Germany: "North" },
  onec: { Москва: "North", Казань: "East", Краснодар: "South" },
  marketplace: { "Северо-Запад": "North", Юг: "South", Урал: "East", Сибирь: "West" },
  events: {},
};

let home: string;
let servers: Servers;
beforeAll(async () => {
  home = await Deno.makeTempDir({ prefix: "salesflow-samples-" });
  servers = await startServers(home);
});
afterAll(async () => {
  await servers.stop();
  await Deno.remove(home, { recursive: true });
});

async function sql(database: "postgres" | "clickhouse", query: string): Promise<Record<string, string>[]> {
  const { code, stdout, stderr } = await run(["sql", database, query, "--format=json", "--home", home]);
  assertEquals(code, 0, stderr);
  return JSON.parse(stdout);
}

/** Asks for a suggestion, decides the regions, and writes the source file; returns its path. */
async function suggest(name: string): Promise<string> {
  const [export_] = (await Array.fromAsync(Deno.readDir(DATA))).map((file) => file.name)
    .filter((file) => new RegExp(`^${name}\\.(csv|xlsx|jsonl)$`).test(file));
  const { code, stdout, stderr } = await run(["source", "suggest", `${DATA}${export_}`]);
  assertEquals([code, stderr], [0, ""]);
  const document = parseDocument(stdout);
  assertEquals(document.errors, []);
  const lookup = document.getIn(["columns", "region", "lookup"]);
  if (isMap(lookup)) {
    assertStringIncludes(stdout, "DECIDE:");
    lookup.items = lookup.items.filter(({ key }) => String(key) in REGION_OF[name]!);
    for (const { key } of lookup.items) lookup.set(key, REGION_OF[name]![String(key)]);
  }
  const path = `${home}/${name}-suggested.yaml`;
  await Deno.writeTextFile(path, document.toString());
  return path;
}

async function salesflow(...args: string[]): Promise<void> {
  const { code, stderr } = await run([...args, "--home", home]);
  assertEquals(code, 0, stderr);
}

/** Keeps what is not zero. */
function counted(reasons: unknown): Record<string, number> {
  return Object.fromEntries(
    Object.entries(reasons as Record<string, number>).filter(([, count]) => count > 0),
  );
}

const LEVEL = (level: string) =>
  `SELECT product_id, region, total_sales, total_amount FROM shop.sales_aggregates WHERE level = '${level}'`;

describe("salesflow ingest --source, and run --from clean", () => {
  const cases = Object.entries(expected).flatMap(([sample, wanted]) => [
    { name: sample, sample: wanted, source: () => Promise.resolve(`${DATA}${sample}.yaml`) },
    { name: `${sample}-suggested`, sample: wanted, source: () => suggest(sample) },
  ]);
  for (const { name, sample, source } of cases) {
    it(`brings the sample ${name} into both databases`, async () => {
      await salesflow("ingest", "--source", await source(), "--as-of", sample.as_of, "--run-id", name);
      await salesflow("run", "--from", "clean", "--max-rejected", "1", "--run-id", name);

      const store = openStore(home);
      const raw = (await readManifest(store, name, "raw"))!;
      const clean = (await readManifest(store, name, "clean"))!;
      assertEquals(raw.facts.excluded, sample.excluded);
      assertEquals(raw.facts.excluded_amounts, sample.excluded_amounts);
      const { rows_in, rows_out, duplicates, rejected_by_reason } = clean.facts;
      assertEquals([rows_in, rows_out, duplicates], [sample.rows_in, sample.clean, sample.duplicates]);
      assertEquals(counted(rejected_by_reason), sample.rejected);

      const skus = new Map(
        (await sql("postgres", "SELECT product_id, sku FROM shop.products")).map((
          row,
        ) => [row.product_id, row.sku]),
      );
      for (const database of ["postgres", "clickhouse"] as const) {
        const where = database === "clickhouse" ? ` AND run_id = '${name}'` : "";
        const [total] = await sql(database, LEVEL("total") + where);
        assertEquals(total!.total_amount, sample.total_amount, formatMoney(sample.total_amount));
        const sums = (rows: Record<string, string>[], key: (row: Record<string, string>) => string) =>
          Object.fromEntries(
            rows.map((row) => [
              key(row),
              { total_sales: Number(row.total_sales), total_amount: row.total_amount },
            ]),
          );
        assertEquals(
          sums(await sql(database, LEVEL("region") + where), (row) => row.region!),
          sample.regions,
        );
        assertEquals(
          sums(await sql(database, LEVEL("product") + where), (row) => skus.get(row.product_id!)!),
          sample.products_by_sku,
        );
      }
      const inClickHouse = await sql(
        "clickhouse",
        "SELECT toString(product_id) AS id, sku FROM shop.products",
      );
      assertEquals(new Map(inClickHouse.map(({ id, sku }) => [id, sku])), skus);

      const texts = new Map<string, string>();
      for await (const { number, text } of readIds(store, name)) texts.set(number, text);
      const sales = await sql("postgres", "SELECT * FROM shop.sales");
      const found = sales.map((row) => ({
        sale: texts.get(row.sale_id!) ?? row.sale_id!,
        sku: skus.get(row.product_id!)!,
        sale_date: row.sale_date!.slice(0, 10),
        quantity: Number(row.quantity),
        sale_amount: row.sale_amount!,
        region: row.region!,
      }));
      const bySale = (a: { sale: string }, b: { sale: string }) => a.sale < b.sale ? -1 : 1;
      assertEquals(found.sort(bySale), [...sample.sales].sort(bySale));
    });
  }
});
