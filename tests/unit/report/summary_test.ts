import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { REASONS } from "../../../lib/domain/sale.ts";
import { renderSummary } from "../../../lib/report/summary.ts";
import { stageRecord } from "../pipeline/stage_record.ts";
import { reportData } from "./fixtures.ts";

/** Replaces narrow no-break spaces with ordinary ones. */
function plain(text: string): string {
  return text.replace(/\u202f/g, " ");
}

describe("renderSummary()", () => {
  it("shows rows, time and rate of each stage", () => {
    assertMatch(plain(renderSummary(reportData())), /│ clean +│ 1 020 000 │ 1 000 000 │ 2\.00 s │ 510 000 │/);
  });

  it("shows the rejected rows by reason", () => {
    const text = plain(renderSummary(reportData()));
    assertMatch(text, /│ rejected +│ +12 000 │ +1\.2% │/);
    assertMatch(text, /│ {3}invalid_amount +│ +7 000 │ +0\.7% │/);
    assert(!text.includes("malformed_row"));
  });

  it("shows the amounts of rejected rows, in the currency of the run", () => {
    const { run, quality } = reportData();
    const amounts = {
      ...Object.fromEntries(REASONS.map((reason) => [reason, { rows: 0n, amountCents: 0n }])),
      missing_value: { rows: 4_000n, amountCents: 1_234_567n },
    } as NonNullable<typeof quality.amounts>;
    const data = reportData({ run: { ...run, currency: "CHF" }, quality: { ...quality, amounts } });
    const text = plain(renderSummary(data));
    assertMatch(text, /│ of raw │ amount, CHF │/);
    assertMatch(text, /│ rejected +│ +12 000 │ +1\.2% │ +12 345\.67 │/);
    assertMatch(text, /│ {3}missing_value +│ +5 000 │ +0\.5% │ +12 345\.67 │/);
    assertMatch(text, /│ {3}invalid_amount +│ +7 000 │ +0\.7% │ +– │/);
    assertStringIncludes(text, "revenue, CHF");
    assert(!text.includes("₽"));
  });

  it("shows what was left out on purpose, if anything was", () => {
    const exclusions = [{ rule: "unpaid", lines: 2n, amountCents: 123_450n }];
    assertMatch(plain(renderSummary(reportData({ exclusions }))), /│ unpaid +│ +2 │ +1 234\.50 │/);
    assert(!plain(renderSummary(reportData())).includes("Left out"));
  });

  it("shows what should be checked", () => {
    assertStringIncludes(
      renderSummary(reportData({ warnings: ["2 rows\x1b[1m"] })),
      "Please check\n- 2 rows",
    );
    assert(!renderSummary(reportData({ warnings: ["2 rows\x1b[1m"] })).includes("\x1b"));
    assert(!renderSummary(reportData()).includes("Please check"));
  });

  it("shows count, revenue, average check and share of each region exactly", () => {
    const text = plain(renderSummary(reportData()));
    assertMatch(
      text,
      /│ North +│ +600 000 │ +1 200 000 │ 6 004 799 503 160 662\.00 │ 10 007 999 171\.93 │ +66\.7% │/,
    );
    assertMatch(
      text,
      /│ All +│ 1 000 000 │ 2 000 000 │ 9 007 199 254 740 993\.00 │ +9 007 199 254\.74 │ 100\.0% │/,
    );
  });

  it("shows the top products, with numbers for those without a name", () => {
    const text = plain(renderSummary(reportData()));
    assertMatch(text, /│ Wooden Chair +│ Home +│ 700 000 │/);
    assertMatch(text, /│ product 9 +│ +│ 300 000 │/);
  });

  it("shows the status of a stage that has no time yet", () => {
    const running = stageRecord("load", {
      status: "running",
      seconds: null,
      rows_in: null,
      rows_out: null,
      finished_at: null,
    });
    assertMatch(renderSummary(reportData({ stages: [running] })), /│ load +│ +│ +│ running │ +│/);
  });

  it("leaves out rows of stages that have none", () => {
    const migrated = stageRecord("migrate", { rows_in: 0, rows_out: 0, seconds: 0.05 });
    assertMatch(plain(renderSummary(reportData({ stages: [migrated] }))), /│ migrate +│ +│ +│ 0\.05 s │ +│/);
  });

  it("says how many checks agree, or that the run is not verified", () => {
    const checks = ["a", "b"].map((name) => ({ name, left: "1", right: "1", ok: true }));
    const verified = stageRecord("verify", { facts: { checks } });
    assert(renderSummary(reportData({ stages: [verified] })).endsWith("\n\nVerified: 2 checks agree"));
    assert(renderSummary(reportData({ stages: [] })).endsWith("\n\nNot verified"));
  });

  it("fits 80 columns", () => {
    const sums = { sales: 1_000_000n, quantity: 2_000_000n, amountCents: 13_057_780_123_45n };
    const total = { ...reportData().total!, ...sums, averageCents: 13_057_78n };
    const regions = reportData().regions.map((region) => ({ ...region, ...total }));
    const products = reportData().products.map((product) => ({
      ...product,
      name: "Wonderfully Comfortable Armchair of Oak",
      sales: 123_456n,
      amountCents: 1_057_780_123_45n,
      averageCents: 13_057_78n,
    }));
    const data = reportData({ total, regions, products });
    for (const line of renderSummary(data, { width: 80 }).split("\n")) assert(line.length <= 80, line);
    assertStringIncludes(renderSummary(data, { width: 80 }), "units");
    assertStringIncludes(renderSummary(data, { width: 120 }), "category");
  });

  it("uses colours only when requested", () => {
    // deno-lint-ignore no-control-regex
    const codes = /\u001b\[\d+m/g;
    assertEquals(renderSummary(reportData()).match(codes), null);
    const coloured = renderSummary(reportData(), { colour: true });
    assert(coloured.match(codes)!.length > 8);
    assertEquals(coloured.replace(codes, ""), renderSummary(reportData()));
  });

  it("replaces control characters in product names and keeps the table aligned", () => {
    const name = "\u001b[2Jgone\r\n" + "very ".repeat(20);
    const products = [{ ...reportData().products[0]!, name }];
    const text = renderSummary(reportData({ products }));
    assert(!text.includes("\u001b") && !text.includes("\r"));
    const widths = new Set(text.split("\n\n").at(-2)!.split("\n").slice(1).map((line) => line.length));
    assertEquals(widths.size, 1);
  });

  it("says so when no row was accepted", () => {
    const text = renderSummary(reportData({ total: undefined, regions: [], products: [] }));
    assertStringIncludes(text, "No sales passed validation.");
  });
});
