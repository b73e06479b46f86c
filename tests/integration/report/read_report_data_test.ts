import { assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { aggregate } from "../../../lib/aggregate/aggregate.ts";
import { load } from "../../../lib/load/load.ts";
import { readReportData } from "../../../lib/report/read_report_data.ts";
import type { ReportData } from "../../../lib/report/report_data.ts";
import { type RunFiles, type Sale, Testbed, writeRunFiles } from "../tables/harness.ts";

/** Product 1 has 60% of the amount. Product 2 has 40%, but all of West. Customer 1 bought twice. */
const SALES: Sale[] = [
  [1, 1, 1, 2, "2026-10-01", "600.00", "North"],
  [2, 1, 2, 1, "2026-10-02", "300.00", "West"],
  [3, 2, 2, 1, "2026-10-02", "100.00", "North"],
];
const LONG_ROW = "x".repeat(201);
const FILES: RunFiles = {
  runId: "made",
  source: "generated",
  parts: [SALES],
  products: ["1,Chair,Home,1.00,2.00"],
  rejected: [
    [0, 9, "invalid_amount", "fourth"],
    [0, 5, "invalid_amount", LONG_ROW],
    [0, 6, "invalid_amount", "second"],
    [0, 7, "invalid_amount", "third"],
  ],
};

describe("readReportData()", () => {
  let testbed: Testbed;
  let data: ReportData;
  async function read(files: RunFiles): Promise<ReportData> {
    await writeRunFiles(testbed.store, files);
    await load(testbed.context(files.runId));
    await aggregate(testbed.context(files.runId));
    return await readReportData(testbed.context(files.runId));
  }

  beforeAll(async () => {
    testbed = await Testbed.open(["postgres"]);
    await testbed.createPostgresTables();
    data = await read(FILES);
  });
  afterAll(() => testbed.close());

  it("returns sales by day and region", () => {
    assertEquals(data.days, [
      { date: "2026-10-01", region: "North", sales: 1n, amountCents: 60_000n },
      { date: "2026-10-02", region: "North", sales: 1n, amountCents: 10_000n },
      { date: "2026-10-02", region: "West", sales: 1n, amountCents: 30_000n },
    ]);
  });

  it("returns the share curve and the concentration", () => {
    assertEquals(data.curve, [
      { rank: 1, cumulativeShare: 600_000n },
      { rank: 2, cumulativeShare: 1_000_000n },
    ]);
    assertEquals(data.concentration, { products: 2, half: 1, fourFifths: 2, nearlyAll: 2 });
  });

  it("returns categories and favourites by region", () => {
    const categories = data.categories.map(({ category, region, amountCents }) =>
      `${category ?? "-"} ${region} ${amountCents}`
    );
    assertEquals(categories.toSorted(), ["- North 10000", "- West 30000", "Home North 60000"]);
    // 60 of 70 against 60 of 100, and 30 of 30 against 40 of 100.
    assertEquals(
      data.favourites.map(({ region, productId, name, lift }) => [region, productId, name, lift]),
      [
        ["North", 1n, "Chair", "1.4"],
        ["West", 2n, undefined, "2.5"],
      ],
    );
  });

  it("returns customers, and those with more than one sale", () => {
    assertEquals([data.customers, data.repeatCustomers], [2n, 1n]);
  });

  it("returns the first three rejected rows of a reason, truncated to 200 characters", () => {
    assertEquals(data.examples.map(({ line, raw, truncated }) => [line, raw, truncated]), [
      ["5", LONG_ROW.slice(1), true],
      ["6", "second", false],
      ["7", "third", false],
    ]);
  });

  it("returns the provenance of the data", () => {
    const provenance = Object.fromEntries(data.provenance);
    assertEquals([provenance.Run, provenance.Source, provenance["Cleaned by"]], [
      "made",
      "generated",
      "native engine",
    ]);
    assertEquals(/^[0-9a-f]{64}$/.test(provenance["SHA-256 of clean parts"]!), true);
  });

  it("returns no names and categories when the run has no catalogue, even if an earlier run had one", async () => {
    const { products: _, source: __, ...files } = FILES;
    const ingested = await read({ ...files, runId: "export" });
    assertEquals(ingested.categories, []);
    assertEquals(ingested.favourites.map(({ name }) => name), [undefined, undefined]);
    assertEquals(ingested.products.map(({ name }) => name), [undefined, undefined]);
  });
});
