import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { renderQualitySection, renderRunSection } from "../../../lib/report/run_sections.ts";
import { REASONS } from "../../../lib/domain/sale.ts";
import { stageRecord } from "../pipeline/stage_record.ts";
import { reportData, textOf } from "./fixtures.ts";

describe("renderQualitySection()", () => {
  it("shows what was left out on purpose, escaped", () => {
    const exclusions = [{ rule: "<b>", lines: 2n, amountCents: -123_450n }];
    const text = textOf(renderQualitySection(reportData({ exclusions })));
    assertMatch(text, /left out on purpose.*&lt;b&gt; 2 −1 234\.50/s);
    assert(!textOf(renderQualitySection(reportData())).includes("left out"));
  });

  it("shows the raw rows by outcome, and the rejected ones by reason", () => {
    const text = textOf(renderQualitySection(reportData()));
    assertStringIncludes(text, "1 020 000 = 1 000 000 + 8 000 + 12 000");
    assertStringIncludes(text, "invalid_amount 7 000 0.7%");
    assertMatch(
      text,
      /No row was rejected for malformed_row , invalid_sale_id , .* conflicting_duplicate \./,
    );
  });

  it("shows the amounts of rejected rows, and of how many rows they are", () => {
    const { quality } = reportData();
    const amounts = {
      ...Object.fromEntries(REASONS.map((reason) => [reason, { rows: 0n, amountCents: 0n }])),
      missing_value: { rows: 4_000n, amountCents: 1_234_567n },
    } as NonNullable<typeof quality.amounts>;
    const text = textOf(renderQualitySection(reportData({ quality: { ...quality, amounts } })));
    assertMatch(text, /missing_value 5 000 0\.5% 12 345\.67 of 4 000 rows/);
    assertMatch(text, /invalid_amount 7 000 0\.7% –/);
  });

  it("shows what should be checked, escaped", () => {
    const text = textOf(renderQualitySection(reportData({ warnings: ["2 rows of <b>"] })));
    assertStringIncludes(text, "Please check 2 rows of &lt;b&gt;.");
    assert(!textOf(renderQualitySection(reportData())).includes("Please check"));
  });

  it("quotes rejected rows, so that none becomes a formula when pasted", () => {
    const raw = `=HYPERLINK("http://x","y"),2`;
    const markup = renderQualitySection(reportData({ examples: [{ ...reportData().examples[0]!, raw }] }));
    assertStringIncludes(markup.toString(), "“=HYPERLINK(&quot;http://x&quot;,&quot;y&quot;),2”");
  });

  it("marks truncated rows, and sorts examples by the order of the reasons", () => {
    const [example] = reportData().examples;
    const examples = [
      { ...example!, reason: "unknown_region", raw: "second", truncated: true },
      { ...example!, reason: "malformed_row", raw: "first" },
    ];
    assertMatch(textOf(renderQualitySection(reportData({ examples }))), /“first” .*“second…”/);
  });
});

describe("renderRunSection()", () => {
  const stages = [
    stageRecord("clean"),
    stageRecord("load", { status: "failed", seconds: 0.5, rows_out: null }),
    stageRecord("report", { status: "running", seconds: null }),
  ];

  it("shows rows, time and rate of each stage but report, and their total time", () => {
    const text = textOf(renderRunSection(reportData({ stages })));
    assertStringIncludes(text, "2.50 s in total");
    assertMatch(text, /clean rows converted, validated, deduplicated 1 020 000 1 000 000 2\.00 s 510 000/);
    assertMatch(text, /load clean rows copied into PostgreSQL 1 020 000 – 0\.50 s, failed/);
    assertEquals(text.includes("running"), false);
  });

  it("shows the provenance of the data", () => {
    assertMatch(textOf(renderRunSection(reportData())), /Where the figures come from .* Seed 7 /);
  });
});
