import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { createHash } from "node:crypto";
import type { ReportData } from "../../../lib/report/report_data.ts";
import { renderPage } from "../../../lib/report/page.ts";
import { zeroReasonCounts } from "../../../lib/domain/sale.ts";
import { stageRecord } from "../pipeline/stage_record.ts";
import { days, reportData, textOf, VERIFIED } from "./fixtures.ts";

const EVIL = `"><script>alert('x')</script><img src=x onerror=alert(1)>`;

describe("renderPage()", () => {
  it("returns equal pages for equal data", () =>
    assertEquals(renderPage(reportData()), renderPage(reportData())));

  it("starts with the text and the key figures", () => {
    const text = textOf(renderPage(reportData()));
    assertStringIncludes(text, "1 000 000 sales brought in ₽9 007 tn");
    assertStringIncludes(text, "North leads with 66.7% of revenue, ahead of West with 33.3%.");
    assertStringIncludes(text, "The best seller is Wooden Chair (Home)");
    assertStringIncludes(text, "From 18 Nov to 24 Nov sales brought in");
    assertStringIncludes(text, "₽9 007 199 254 740 993.00");
  });

  it("contains every section, and each chart for wide and narrow screens", () => {
    const text = renderPage(reportData());
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

  it("gives every table a caption and row headers", () => {
    const text = renderPage(reportData());
    const tables = text.match(/<table>[^]*?<\/table>/g)!;
    assert(tables.length >= 8);
    for (const table of tables) {
      assertMatch(table, /<caption>[^<]+<\/caption>/);
      assertMatch(table, /<th scope="row"/);
    }
  });

  it("contains no scripts, style attributes, network addresses or duplicate ids", () => {
    const text = renderPage(reportData());
    assert(!/<script|javascript:|\son\w+=|\sstyle=/i.test(text));
    assert(!/(?:src|href|url\()\s*=?\s*["'(]?(?:https?:)?\/\//i.test(text));
    const ids = [...text.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id);
    assertEquals(ids.length, new Set(ids).size);
  });

  it("allows only its own style, by its hash", () => {
    const text = renderPage(reportData());
    const style = /<style>([^]*?)<\/style>/.exec(text)![1]!;
    const hash = createHash("sha256").update(style).digest("base64");
    assertStringIncludes(
      text,
      `default-src &#39;none&#39;; style-src &#39;sha256-${hash}&#39;; img-src data:;`,
    );
  });

  const hostile: [name: string, changes: Partial<ReportData>][] = [
    ["product and category", {
      products: reportData().products.map((product) => ({ ...product, name: EVIL, category: EVIL })),
      categories: reportData().categories.map((cell) => ({ ...cell, category: EVIL })),
      favourites: reportData().favourites.map((favourite) => ({ ...favourite, name: EVIL, category: EVIL })),
    }],
    ["region", {
      regions: reportData().regions.map((region) => ({ ...region, region: EVIL })),
      days: days(10).map((day) => ({ ...day, region: EVIL })),
      categories: reportData().categories.map((cell) => ({ ...cell, region: EVIL })),
    }],
    ["rejected row", { examples: [{ reason: EVIL, file: EVIL, line: "1", raw: EVIL, truncated: true }] }],
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
      const text = renderPage(reportData(changes));
      assert(!text.includes("<script") && !text.includes("<img"), name);
      assertStringIncludes(text, "&lt;script&gt;");
    });
  }

  it("contains only data quality and the run when no row was accepted", () => {
    const quality = {
      raw: 5n,
      clean: 0n,
      duplicates: 0n,
      rejected: 5n,
      byReason: { ...zeroReasonCounts(), malformed_row: 5 },
      amounts: undefined,
    };
    const text = renderPage(
      reportData({ total: undefined, regions: [], products: [], days: [], curve: [], quality }),
    );
    assertStringIncludes(text, "No row of this run passed validation");
    assertStringIncludes(textOf(text), "malformed_row 5 100.0%");
    assert(!text.includes('id="time"'));
  });
});
