import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { ReportData } from "../../../lib/report/report_data.ts";
import { renderVerdict, renderVerification } from "../../../lib/report/verification.ts";
import { stageRecord } from "../pipeline/stage_record.ts";
import { textOf, VERIFIED } from "./fixtures.ts";

const FAILED = stageRecord("verify", {
  status: "failed",
  error: { message: "rows: 5 <> 6", remedy: null, exit_code: 1 },
});
const LOADED_LATER = stageRecord("load", {
  started_at: "2026-11-24T10:00:00.000Z",
  finished_at: "2026-11-24T10:00:01.000Z",
});
const LOADING = { ...LOADED_LATER, status: "running", finished_at: null, seconds: null } as const;

const cases: [when: string, stages: ReportData["stages"], verdict: string, verification: string][] = [
  ["verify succeeded", [stageRecord("load"), VERIFIED], "✓ Verified", "All data was recounted"],
  [
    "verify failed",
    [FAILED],
    "✗ Verification failed",
    "Do not rely on these figures until its cause is found.",
  ],
  ["verify never ran", [stageRecord("load")], "Not verified", "This run has not been verified"],
  ["the data has changed since", [LOADED_LATER, VERIFIED], "Not verified", "The data has changed since"],
  ["the data is changing", [LOADING, VERIFIED], "Not verified", "The data has changed since"],
];

describe("renderVerdict()", () => {
  for (const [when, stages, verdict] of cases) {
    it(`returns "${verdict}" when ${when}`, () => {
      assertEquals(textOf(renderVerdict(stages)).trim(), verdict);
    });
  }
});

describe("renderVerification()", () => {
  for (const [when, stages, , verification] of cases) {
    it(`returns "${verification}" when ${when}`, () => {
      assertStringIncludes(textOf(renderVerification(stages)), verification);
    });
  }

  it("lists the checks when verify succeeded", () => {
    const text = textOf(renderVerification([VERIFIED]));
    assertStringIncludes(text, "Checks: 1");
    assertStringIncludes(text, "rows: clean/ = shop.sales 1000000 1000000 ✓");
  });

  it("omits checks that it cannot parse", () => {
    const text = textOf(renderVerification([{ ...VERIFIED, facts: { checks: [{ name: 1 }] } }]));
    assertEquals(text.includes("Checks:"), false);
  });

  it("shows the error when verify failed", () => {
    assertStringIncludes(renderVerification([FAILED]).toString(), "rows: 5 &lt;&gt; 6");
    assertStringIncludes(textOf(renderVerification([{ ...FAILED, error: null }])), "No error message");
  });
});
