import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { createHash } from "node:crypto";
import type { Figures } from "../../../lib/report/figures.ts";
import { page } from "../../../lib/report/page.ts";
import { noRejections } from "../../../lib/domain/sale.ts";
import { days, figures, stageRecord, VERIFIED } from "./figures.ts";

const EVIL = `"><script>alert('x')</script><img src=x onerror=alert(1)>`;

/** Text of a page without its style, markup and no-break spaces. */
function textOf(text: string): string {
  return text.replace(/<style>[^]*?<\/style>/g, "").replace(/<[^>]+>/g, " ").replace(/[\u202f\u00a0]/g, " ")
    .replace(/\s+/g, " ");
}

describe("page()", () => {
  it("gives the same text for the same figures", () => assertEquals(page(figures()), page(figures())));

  it("answers first how it went", () => {
    const text = textOf(page(figures()));
    assertStringIncludes(text, "1 000 000 sales brought ₽9 007 tn");
    assertStringIncludes(text, "North leads with 66.7% of revenue, ahead of West with 33.3%.");
    assertStringIncludes(text, "The best seller is Wooden Chair (Home)");
    assertStringIncludes(text, "From 18 Nov to 24 Nov sales brought");
    assertStringIncludes(text, "₽9 007 199 254 740 993.00");
  });

  it("shows every section, and each chart for wide and narrow screens", () => {
    const text = page(figures());
    for (const id of ["time", "regions", "products", "quality", "run"]) {
      assertStringIncludes(text, `<section id="${id}">`);
      assertStringIncludes(text, `href="#${id}"`);
    }
    for (const id of ["line", "months", "weekdays", "shares", "curve"]) {
      const [chart] = new RegExp(`<div class="chart" id="chart-${id}">[^]*?</div>`).exec(text) ?? [""];
      assertEquals(chart.match(/<svg /g)?.length, 2, id);
      assertEquals(chart.match(/role="img" aria-label="[^"]{20,}"/g)?.length, 2, id);
      assertMatch(chart, /<path d="M[^"]{20,}"/);
    }
  });

  it("captions every table and names every row", () => {
    const text = page(figures());
    const tables = text.match(/<table>[^]*?<\/table>/g)!;
    assert(tables.length >= 8);
    for (const table of tables) {
      assertMatch(table, /<caption>[^<]+<\/caption>/);
      assertMatch(table, /<th scope="row"/);
    }
  });

  it("holds no script, no style attribute, no address of a network, and ids once", () => {
    const text = page(figures());
    assert(!/<script|javascript:|\son\w+=|\sstyle=/i.test(text));
    assert(!/(?:src|href|url\()\s*=?\s*["'(]?(?:https?:)?\/\//i.test(text));
    const ids = [...text.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id);
    assertEquals(ids.length, new Set(ids).size);
  });

  it("allows its own style only, by its hash", () => {
    const text = page(figures());
    const style = /<style>([^]*?)<\/style>/.exec(text)![1]!;
    const hash = createHash("sha256").update(style).digest("base64");
    assertStringIncludes(
      text,
      `default-src &#39;none&#39;; style-src &#39;sha256-${hash}&#39;; img-src data:;`,
    );
  });

  const hostile: [name: string, changes: Partial<Figures>][] = [
    ["product and category", {
      products: figures().products.map((product) => ({ ...product, name: EVIL, category: EVIL })),
      categories: figures().categories.map((cell) => ({ ...cell, category: EVIL })),
      favourites: figures().favourites.map((favourite) => ({ ...favourite, name: EVIL, category: EVIL })),
    }],
    ["region", {
      regions: figures().regions.map((region) => ({ ...region, region: EVIL })),
      days: days(10).map((day) => ({ ...day, region: EVIL })),
      categories: figures().categories.map((cell) => ({ ...cell, region: EVIL })),
    }],
    ["rejected row", { examples: [{ reason: EVIL, file: EVIL, line: "1", raw: EVIL, cut: true }] }],
    ["stage error", {
      stages: [
        stageRecord("verify", { status: "failed", error: { message: EVIL, remedy: EVIL, exit_code: 1 } }),
      ],
    }],
    ["check", {
      stages: [{ ...VERIFIED, facts: { checks: [{ name: EVIL, left: EVIL, right: EVIL, ok: true }] } }],
    }],
    ["provenance", { provenance: [[EVIL, EVIL]] }],
  ];
  for (const [name, changes] of hostile) {
    it(`escapes a hostile ${name}`, () => {
      const text = page(figures(changes));
      assert(!text.includes("<script") && !text.includes("<img"), name);
      assertStringIncludes(text, "&lt;script&gt;");
    });
  }

  it("quotes rejected rows, so that none becomes a formula when pasted", () => {
    const raw = `=HYPERLINK("http://x","y"),2`;
    const text = page(figures({ examples: [{ ...figures().examples[0]!, raw }] }));
    assertStringIncludes(text, "“=HYPERLINK(&quot;http://x&quot;,&quot;y&quot;),2”");
  });

  it("calls products by their numbers when there is no catalogue", () => {
    const products = figures().products.map((product) => ({
      ...product,
      name: undefined,
      category: undefined,
    }));
    const text = textOf(page(figures({ products, categories: [] })));
    assertStringIncludes(text, "The best seller is product 7 with");
    assertStringIncludes(text, "This run has no catalogue");
    assert(!text.includes("What each region buys"));
  });

  it("tells what became of the raw rows, and why", () => {
    const text = textOf(page(figures()));
    assertStringIncludes(text, "1 020 000 = 1 000 000 + 8 000 + 12 000");
    assertStringIncludes(text, "invalid_amount 7 000 0.7%");
    assertMatch(
      text,
      /No row was rejected for malformed_row , invalid_sale_id , .* conflicting_duplicate \./,
    );
  });

  it("still speaks of the data when no sale passed the rules", () => {
    const quality = {
      raw: 5n,
      clean: 0n,
      duplicates: 0n,
      rejected: 5n,
      byReason: { ...noRejections(), malformed_row: 5 },
    };
    const text = page(figures({ total: undefined, regions: [], products: [], days: [], curve: [], quality }));
    assertStringIncludes(text, "No row of this run passed the rules");
    assertStringIncludes(textOf(text), "malformed_row 5 100.0%");
    assert(!text.includes('id="time"'));
  });

  const verdicts: [name: string, stages: Figures["stages"], expected: string][] = [
    ["verified", [stageRecord("load"), VERIFIED], "✓ Verified"],
    ["failed", [VERIFIED, stageRecord("verify", { status: "failed" })].slice(1), "✗ Verification failed"],
    ["never verified", [stageRecord("load")], "Not verified"],
    ["verified before the data changed", [
      stageRecord("load", {
        started_at: "2026-11-24T10:00:00.000Z",
        finished_at: "2026-11-24T10:00:01.000Z",
      }),
      VERIFIED,
    ], "Not verified"],
    ["changing since", [
      stageRecord("load", {
        status: "running",
        started_at: "2026-11-24T10:00:00.000Z",
        finished_at: null,
        seconds: null,
      }),
      VERIFIED,
    ], "Not verified"],
  ];
  for (const [name, stages, expected] of verdicts) {
    it(`says "${expected}" of a run that is ${name}`, () => {
      assertStringIncludes(page(figures({ stages })).split("</header>")[0]!, `>${expected}</span>`);
    });
  }

  it("draws a long history by the average day of each month, so that a month cut short is no dip", () => {
    const rows = ["2020-01-31", "2020-02-01", "2026-11-24"].map((date) => ({ ...days(1)[0]!, date }));
    const text = page(figures({ days: rows }));
    assertStringIncludes(text, "Revenue of an average day of each month, from 31\u00a0January\u00a02020");
    assertStringIncludes(textOf(text), "Through the years");
    // One day of January brings as much as the whole of February: its point stands higher.
    const [line] = /d="M([^"]+)"[^>]*fill="none"[^>]*stroke="var\(--accent\)"/.exec(
      text.split('id="chart-line"')[1]!,
    )!.slice(1);
    const heights = line!.split(/[ML]/).map((point) => Number(point.trim().split(/[ ,]/)[1]));
    assert(heights[0]! < heights[1]! - 50, `${heights.slice(0, 3)}`);
  });

  it("adds up what is left of many categories", () => {
    const categories = Array.from({ length: 15 }, (_, index) => ({
      category: `Category ${String.fromCharCode(65 + index)}`,
      region: "North",
      sales: 1n,
      amountCents: BigInt(1500 - 100 * index),
    }));
    const text = textOf(page(figures({ categories })));
    assertStringIncludes(text, "Category K");
    assertStringIncludes(text, "4 other categories");
    assert(!text.includes("Category L"));
  });
});
