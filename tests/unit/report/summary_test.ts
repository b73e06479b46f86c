import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { renderSummary } from "../../../lib/report/summary.ts";
import { figures, stageRecord } from "./figures.ts";

/** With ordinary spaces. */
function plain(text: string): string {
  return text.replace(/\u202f/g, " ");
}

describe("renderSummary()", () => {
  it("tells rows, time and rate of each stage", () => {
    assertMatch(plain(renderSummary(figures())), /│ clean +│ 1 020 000 │ 1 000 000 │ 2\.00 s │ 510 000 │/);
  });

  it("tells the rejected rows by reason", () => {
    const text = plain(renderSummary(figures()));
    assertMatch(text, /│ rejected +│ +12 000 │ +1\.2% │/);
    assertMatch(text, /│ {3}invalid_amount +│ +7 000 │ +0\.7% │/);
    assert(!text.includes("malformed_row"));
  });

  it("tells count, sum, average check and share of each region, exactly", () => {
    const text = plain(renderSummary(figures()));
    assertMatch(
      text,
      /│ North +│ +600 000 │ +1 200 000 │ 6 004 799 503 160 662\.00 │ 10 007 999 171\.93 │ +66\.7% │/,
    );
    assertMatch(
      text,
      /│ All +│ 1 000 000 │ 2 000 000 │ 9 007 199 254 740 993\.00 │ +9 007 199 254\.74 │ 100\.0% │/,
    );
  });

  it("names the top products", () => {
    const text = plain(renderSummary(figures()));
    assertMatch(text, /│ Wooden Chair +│ Home +│ 700 000 │/);
    assertMatch(text, /│ product 9 +│ +│ 300 000 │/);
  });

  it("says the status of a stage that has no time yet", () => {
    const running = stageRecord("load", {
      status: "running",
      seconds: null,
      rows_in: null,
      rows_out: null,
      finished_at: null,
    });
    assertMatch(renderSummary(figures({ stages: [running] })), /│ load +│ +│ +│ running │ +│/);
  });

  it("uses colours only when asked", () => {
    // deno-lint-ignore no-control-regex
    const codes = /\u001b\[\d+m/g;
    assertEquals(renderSummary(figures()).match(codes), null);
    const coloured = renderSummary(figures(), { colour: true });
    assert(coloured.match(codes)!.length > 8);
    assertEquals(coloured.replace(codes, ""), renderSummary(figures()));
  });

  it("lets no product name steer the terminal or break the table", () => {
    const name = "\u001b[2Jgone\r\n" + "very ".repeat(20);
    const products = [{ ...figures().products[0]!, name }];
    const text = renderSummary(figures({ products }));
    assert(!text.includes("\u001b") && !text.includes("\r"));
    const widths = new Set(text.split("\n\n").at(-1)!.split("\n").slice(1).map((line) => line.length));
    assertEquals(widths.size, 1);
  });

  it("says so when no sale passed the rules", () => {
    const text = renderSummary(figures({ total: undefined, regions: [], products: [] }));
    assertStringIncludes(text, "No sales passed the rules.");
  });
});
