import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { aggregate } from "../../../lib/aggregate/aggregate.ts";
import { SalesflowError } from "../../../lib/console/errors.ts";
import { load } from "../../../lib/load/load.ts";
import { migrate } from "../../../lib/migrate/migrate.ts";
import { report, reportPath } from "../../../lib/report/report.ts";
import { summarizeRun } from "../../../lib/report/summary.ts";
import { datasetFolder } from "../../../lib/dataset/dataset.ts";
import { makeSales, type RunFiles, type Sale, Testbed, writeRunFiles } from "../tables/harness.ts";

const NASTY = `=HYPERLINK("http://evil.example/","<script>alert(1)</script>"),1,1,1,2026-10-01,x,North`;

/** A run without a catalogue, with sums above 2^53 cents. */
const INGESTED: RunFiles = {
  runId: "export",
  parts: [
    makeSales(150, { cents: 660_000_000_007n }),
    makeSales(150, { from: 151, cents: 660_000_000_001n }),
  ],
  rejected: [[0, 7, "invalid_amount", NASTY], [0, 9, "malformed_row", 'broken "row\u202e']],
  duplicates: 2,
};

const GENERATED: RunFiles = {
  ...INGESTED,
  runId: "made",
  source: "generated",
  products: Array.from({ length: 50 }, (_, i) => `${i + 1},Thing <${i + 1}>,Kind ${i % 3},1.00,2.00`),
};

/** Returns the sum of the sales as the report formats it. */
function formatSum(sales: readonly Sale[]): string {
  const cents = sales.reduce((sum, sale) => sum + BigInt(sale[5].replace(".", "")), 0n).toString();
  return `${cents.slice(0, -2).replace(/\B(?=(\d{3})+$)/g, "\u202f")}.${cents.slice(-2)}`;
}

describe("report()", () => {
  let testbed: Testbed;

  beforeAll(async () => {
    testbed = await Testbed.open();
    await migrate(testbed.context("export"));
    await writeRunFiles(testbed.store, INGESTED);
    await writeRunFiles(testbed.store, GENERATED);
  });

  afterAll(() => testbed.close());

  async function read(runId: string): Promise<string> {
    return (await testbed.store.readText(reportPath(runId)))!;
  }

  it("throws and writes no file when the run is not loaded", async () => {
    const error = await assertRejects(() => report(testbed.context("export")), SalesflowError);
    assertStringIncludes(error.message, "holds no rows of any run");
    assertStringIncludes(error.remedy!, "salesflow run --from load --run-id export");
    assertEquals(await testbed.store.readText(reportPath("export")), undefined);
  });

  it("throws when the aggregates are missing", async () => {
    await load(testbed.context("export"));
    const error = await assertRejects(() => report(testbed.context("export")), SalesflowError);
    assertStringIncludes(error.message, "shop.sales_aggregates");
    assertStringIncludes(error.remedy!, "salesflow aggregate --run-id export");
  });

  it("writes exact totals of the run and of each region", async () => {
    await aggregate(testbed.context("export"));
    const result = await report(testbed.context("export"));
    assertEquals([result.rowsIn, result.rowsOut], [300, 300]);
    assertEquals(result.facts.path, "runs/export/report/report.html");
    const text = await read("export");
    assertEquals(result.facts.bytes, new TextEncoder().encode(text).length);
    assertMatch(result.summary!, /^wrote runs\/export\/report\/report\.html \(\d+ kB\)$/);
    const sales = INGESTED.parts.flat();
    assertStringIncludes(text, formatSum(sales));
    for (const region of ["North", "South", "East", "West"]) {
      assertStringIncludes(text, formatSum(sales.filter((sale) => sale[6] === region)));
    }
  });

  it("writes the same bytes when it runs again", async () => {
    const before = await read("export");
    await report(testbed.context("export"));
    assertEquals(await read("export"), before);
  });

  it("escapes rejected rows, and shows their files and lines", async () => {
    const text = await read("export");
    assert(!text.includes("<script"));
    assertStringIncludes(text, "“=HYPERLINK(&quot;http://evil.example/&quot;,&quot;&lt;script&gt;");
    assertStringIncludes(text, "part-00000.csv:7");
    assertStringIncludes(text, "broken &quot;row[U+202E]");
    assertMatch(text.replace(/\s+/g, " "), /304 = 300 \+ 2 \+ 2\./);
  });

  it("escapes the names of exports in the provenance and in rejected rows", async () => {
    const path = `${datasetFolder("export", "raw")}/manifest.json`;
    const before = (await testbed.store.readText(path))!;
    const manifest = JSON.parse(before);
    const evil = `"><script>alert(1)</script>\u202e<img src=x onerror=alert(1)>.csv`;
    manifest.facts.files = [evil, "=1+1.csv"];
    await testbed.store.writeText(path, JSON.stringify(manifest));
    await report(testbed.context("export"));
    const text = await read("export");
    await testbed.store.writeText(path, before);
    await report(testbed.context("export"));
    const shown =
      "&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;[U+202E]&lt;img src=x onerror=alert(1)&gt;.csv";
    assert(!/<script|<img|\u202e/.test(text));
    assertStringIncludes(text, `${shown}, =1+1.csv`);
    assertStringIncludes(text, `${shown}:7`);
  });

  it("lists products by number when the run has no catalogue, even if an earlier run had one", async () => {
    await load(testbed.context("made"));
    await aggregate(testbed.context("made"));
    await report(testbed.context("made"));
    assertStringIncludes(await read("made"), "Thing &lt;50&gt;");
    assertStringIncludes(await summarizeRun(testbed.context("made"), { colour: false }), "Thing <50>");
    await load(testbed.context("export"));
    await aggregate(testbed.context("export"));
    await report(testbed.context("export"));
    const text = await read("export");
    assertStringIncludes(text, "product 50");
    assert(!text.includes("Thing"));
    assertStringIncludes(await summarizeRun(testbed.context("export"), { colour: false }), "product 50");
  });

  it("throws and keeps the old file when another run is loaded", async () => {
    const before = await read("made");
    const error = await assertRejects(() => report(testbed.context("made")), SalesflowError);
    assertStringIncludes(error.message, "holds the rows of run export, not those of made");
    assertEquals(await read("made"), before);
  });

  it("throws when the aggregates are those of another run", async () => {
    await load(testbed.context("made"));
    const error = await assertRejects(() => report(testbed.context("made")), SalesflowError);
    assertStringIncludes(error.message, "holds run export, not made");
  });

  it("reports a run without accepted rows", async () => {
    const files: RunFiles = { runId: "empty", parts: [], rejected: [[0, 2, "malformed_row", "nonsense"]] };
    await writeRunFiles(testbed.store, files);
    await load(testbed.context("empty"));
    await aggregate(testbed.context("empty"));
    assertEquals((await report(testbed.context("empty"))).rowsOut, 0);
    assertStringIncludes(await read("empty"), "No row of this run passed validation");
    assertStringIncludes(
      await summarizeRun(testbed.context("empty"), { colour: false }),
      "No sales passed validation.",
    );
  });
});
