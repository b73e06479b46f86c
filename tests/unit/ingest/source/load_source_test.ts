import { assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { SalesflowError, UsageError } from "../../../../lib/console/errors.ts";
import { loadSource, lookupLocations } from "../../../../lib/ingest/source/load_source.ts";
import { FakeBucket } from "../../store/fake_bucket.ts";

const COLUMNS = `  sale_id: No
  customer_id: {value: "1"}
  product_id: Sku
  quantity: {value: "1"}
  sale_date: {value: 2026-11-24}
  sale_amount: Sum
`;
const withRegion = (rule: string, more = "") => `version: 1\ncolumns:\n${COLUMNS}  region: ${rule}\n${more}`;
const TABLE = "city,region\nMoscow,North\n";

describe("loadSource()", () => {
  let folder: string;
  let bucket: FakeBucket;
  const environment: Record<string, string> = {};
  beforeAll(async () => {
    folder = await Deno.makeTempDir();
    bucket = new FakeBucket();
    Object.assign(environment, {
      SALESFLOW_S3_ENDPOINT: bucket.endpoint,
      AWS_ACCESS_KEY_ID: "id",
      AWS_SECRET_ACCESS_KEY: "secret",
    });
    for (const [name, value] of Object.entries(environment)) Deno.env.set(name, value);
  });
  afterAll(async () => {
    for (const name of Object.keys(environment)) Deno.env.delete(name);
    await bucket.close();
    await Deno.remove(folder, { recursive: true });
  });

  async function file(name: string, text: string): Promise<string> {
    await Deno.writeTextFile(`${folder}/${name}`, text);
    return `${folder}/${name}`;
  }

  it("reads a source file and its lookups, which are relative to it, each once", async () => {
    await Deno.mkdir(`${folder}/tables`);
    await file("tables/regions.csv", TABLE);
    await file("skus.csv", "sku,sku\na,1\n");
    const columns =
      `{column: City, lookup: tables/regions.csv, default: {column: Town, lookup: tables/regions.csv}}`;
    const source = await file(
      "shop.yaml",
      withRegion(columns, "  product_name: {column: Sku, lookup: skus.csv}\n"),
    );
    const rules = await loadSource(source);
    assertEquals(rules.copies, false);
    assertEquals(rules.source.path, source);
    assertEquals([...rules.lookups].sort((a, b) => a.path < b.path ? -1 : 1), [
      { path: "skus.csv", columns: 1, text: "sku,sku\na,1\n" },
      { path: "tables/regions.csv", columns: 1, text: TABLE },
    ]);
  });

  it("tells where lookups lie", async () => {
    await file("towns.csv", "town,region\nTula,South\n");
    const source = await file("located.yaml", withRegion("{column: City, lookup: towns.csv}"));
    assertEquals([...lookupLocations(await loadSource(source))], [
      source.replace("located.yaml", "towns.csv"),
    ]);
  });

  it("reads no lookup that stands in the source file itself", async () => {
    const source = await file("inline.yaml", withRegion("{column: City, lookup: {Moscow: North}}"));
    assertEquals((await loadSource(source)).lookups, []);
  });

  it("reads a source file and its lookup from a bucket", async () => {
    bucket.put("in/shop.yaml", withRegion("{column: City, lookup: regions.csv}"));
    bucket.put("in/regions.csv", TABLE);
    const { source, lookups } = await loadSource("s3://shop/in/shop.yaml");
    assertEquals([source.path, lookups], ["s3://shop/in/shop.yaml", [{
      path: "regions.csv",
      columns: 1,
      text: TABLE,
    }]]);
  });

  it("reads a lookup in a bucket for a source file on disk", async () => {
    bucket.put("in/regions.csv", TABLE);
    const source = await file("far.yaml", withRegion("{column: City, lookup: 's3://shop/in/regions.csv'}"));
    assertEquals((await loadSource(source)).lookups.map(({ text }) => text), [TABLE]);
  });

  const mistakes: [what: string, yaml: string, messages: string[]][] = [
    [
      "lookups that are missing or cannot be parsed",
      withRegion(
        "{column: City, lookup: none.csv}",
        "  product_name: {column: Sku, lookup: broken.csv}\n  product_category: {column: Sku, lookup: empty.csv}\n",
      ),
      [
        "FOLDER/mistakes.yaml: there is no lookup FOLDER/none.csv (for region)",
        "FOLDER/broken.csv line 2: it has 1 values, not 2",
        "FOLDER/empty.csv: there are no lines below its header",
      ],
    ],
    [
      "a lookup with two numbers of columns",
      withRegion(
        "{column: City, lookup: good.csv, default: {columns: [City, Town], lookup: good.csv}}",
      ),
      ["FOLDER/mistakes.yaml: the lookup good.csv of region is used with 2 and with 1 columns"],
    ],
  ];
  for (const [what, yaml, messages] of mistakes) {
    it(`lists ${what}`, async () => {
      await file("broken.csv", "a,b\nc\n");
      await file("empty.csv", "a,b\n");
      await file("good.csv", TABLE);
      const source = await file("mistakes.yaml", yaml);
      const error = await assertRejects(() => loadSource(source), UsageError);
      assertEquals(error.mistakes, messages.map((message) => message.replaceAll("FOLDER", folder)));
    });
  }

  it("fails when there is no source file, or it is a folder", async () => {
    for (const location of [`${folder}/none.yaml`, "s3://shop/none.yaml"]) {
      await assertRejects(() => loadSource(location), UsageError, `There is no source file ${location}`);
    }
    const error = await assertRejects(() => loadSource(folder), SalesflowError, `Cannot read ${folder}`);
    assertEquals([error.exitCode, error.stage], [2, "ingest"]);
  });

  it("fails with the mistakes of the source file", async () => {
    const source = await file("wrong.yaml", "version: 1\nfile: a.csv\n");
    await assertRejects(() => loadSource(source), UsageError, `${source} line 2`);
  });
});
