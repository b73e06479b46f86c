import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { aggregate } from "../../../lib/aggregate/aggregate.ts";
import { SalesflowError } from "../../../lib/console/errors.ts";
import { load } from "../../../lib/load/load.ts";
import { migrate } from "../../../lib/migrate/migrate.ts";
import { report, reportPath } from "../../../lib/report/report.ts";
import { summary } from "../../../lib/report/summary.ts";
import { datasetFolder } from "../../../lib/dataset/dataset.ts";
import { manySales, Place, type RunFiles, type Sale, writeRunFiles } from "../tables/harness.ts";

const NASTY = `=HYPERLINK("http://evil.example/","<script>alert(1)</script>"),1,1,1,2026-10-01,x,North`;

/** A run without a catalogue, whose sums come above 2^53 cents. */
const INGESTED: RunFiles = {
  runId: "export",
  parts: [
    manySales(150, { cents: 660_000_000_007n }),
    manySales(150, { from: 151, cents: 660_000_000_001n }),
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

/** Sum of sales in whole roubles and kopecks, as people read it. */
function readable(sales: readonly Sale[]): string {
  const cents = sales.reduce((sum, sale) => sum + BigInt(sale[5].replace(".", "")), 0n).toString();
  return `${cents.slice(0, -2).replace(/\B(?=(\d{3})+$)/g, "\u202f")}.${cents.slice(-2)}`;
}

describe("report()", () => {
  let place: Place;

  beforeAll(async () => {
    place = await Place.open();
    await migrate(place.context("export"));
    await writeRunFiles(place.store, INGESTED);
    await writeRunFiles(place.store, GENERATED);
  });

  afterAll(() => place.close());

  async function read(runId: string): Promise<string> {
    return (await place.store.readText(reportPath(runId)))!;
  }

  it("refuses a run that is not loaded, and leaves no file", async () => {
    const error = await assertRejects(() => report(place.context("export")), SalesflowError);
    assertStringIncludes(error.message, "holds no rows of any run");
    assertStringIncludes(error.remedy!, "salesflow run --from load --run-id export");
    assertEquals(await place.store.readText(reportPath("export")), undefined);
  });

  it("refuses a run whose aggregates are missing", async () => {
    await load(place.context("export"));
    const error = await assertRejects(() => report(place.context("export")), SalesflowError);
    assertStringIncludes(error.message, "shop.sales_aggregates");
    assertStringIncludes(error.remedy!, "salesflow aggregate --run-id export");
  });

  it("writes totals and regions to the kopeck", async () => {
    await aggregate(place.context("export"));
    const result = await report(place.context("export"));
    assertEquals([result.rowsIn, result.rowsOut], [300, 300]);
    assertEquals(result.facts.path, "runs/export/report/report.html");
    const text = await read("export");
    assertEquals(result.facts.bytes, new TextEncoder().encode(text).length);
    const sales = INGESTED.parts.flat();
    assertStringIncludes(text, readable(sales));
    for (const region of ["North", "South", "East", "West"]) {
      assertStringIncludes(text, readable(sales.filter((sale) => sale[6] === region)));
    }
  });

  it("gives the same file again", async () => {
    const before = await read("export");
    await report(place.context("export"));
    assertEquals(await read("export"), before);
  });

  it("shows rejected rows as harmless text, with their places", async () => {
    const text = await read("export");
    assert(!text.includes("<script"));
    assertStringIncludes(text, "“=HYPERLINK(&quot;http://evil.example/&quot;,&quot;&lt;script&gt;");
    assertStringIncludes(text, "part-00000.csv:7");
    assertStringIncludes(text, "broken &quot;row[U+202E]");
    assertMatch(text.replace(/\s+/g, " "), /304 = 300 \+ 2 \+ 2\./);
  });

  it("shows the names of exports as harmless text, where they come from and beside rejected rows", async () => {
    const path = `${datasetFolder("export", "raw")}/manifest.json`;
    const before = (await place.store.readText(path))!;
    const manifest = JSON.parse(before);
    const evil = `"><script>alert(1)</script>\u202e<img src=x onerror=alert(1)>.csv`;
    manifest.facts.files = [evil, "=1+1.csv"];
    await place.store.writeText(path, JSON.stringify(manifest));
    await report(place.context("export"));
    const text = await read("export");
    await place.store.writeText(path, before);
    await report(place.context("export"));
    const shown =
      "&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;[U+202E]&lt;img src=x onerror=alert(1)&gt;.csv";
    assert(!/<script|<img|\u202e/.test(text));
    assertStringIncludes(text, `${shown}, =1+1.csv`);
    assertStringIncludes(text, `${shown}:7`);
  });

  it("names products by number for a run without a catalogue, even when an earlier run left one", async () => {
    await load(place.context("made"));
    await aggregate(place.context("made"));
    await report(place.context("made"));
    assertStringIncludes(await read("made"), "Thing &lt;50&gt;");
    assertStringIncludes(await summary(place.context("made"), { colour: false }), "Thing <50>");
    await load(place.context("export"));
    await aggregate(place.context("export"));
    await report(place.context("export"));
    const text = await read("export");
    assertStringIncludes(text, "product 50");
    assert(!text.includes("Thing"));
    assertStringIncludes(await summary(place.context("export"), { colour: false }), "product 50");
  });

  it("refuses a run after another one was loaded, and keeps its old file", async () => {
    const before = await read("made");
    const error = await assertRejects(() => report(place.context("made")), SalesflowError);
    assertStringIncludes(error.message, "holds the rows of run export, not those of made");
    assertEquals(await read("made"), before);
  });

  it("refuses aggregates of another run", async () => {
    await load(place.context("made"));
    const error = await assertRejects(() => report(place.context("made")), SalesflowError);
    assertStringIncludes(error.message, "holds run export, not made");
  });

  it("reports a run of which no row was accepted", async () => {
    const files: RunFiles = { runId: "empty", parts: [], rejected: [[0, 2, "malformed_row", "nonsense"]] };
    await writeRunFiles(place.store, files);
    await load(place.context("empty"));
    await aggregate(place.context("empty"));
    assertEquals((await report(place.context("empty"))).rowsOut, 0);
    assertStringIncludes(await read("empty"), "No row of this run passed the rules");
    assertStringIncludes(
      await summary(place.context("empty"), { colour: false }),
      "No sales passed the rules.",
    );
  });
});
