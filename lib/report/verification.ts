/** The verification in the report: the result of verify, and whether the data has changed since. */
import { z } from "zod";
import type { StageRecord } from "../pipeline/records.ts";
import { formatCount } from "./format.ts";
import { type Html, html } from "./html.ts";
import { renderTable } from "./components.ts";

/** The checks in the record of verify. */
const checksSchema = z.array(
  z.object({ name: z.string(), left: z.string(), right: z.string(), ok: z.boolean() }),
);

type Check = z.infer<typeof checksSchema>[number];

/** Stages that invalidate an earlier verification. */
const DATA_STAGES = ["generate", "ingest", "clean", "load", "aggregate", "transfer"];

type Verdict = "done" | "failed" | "outdated" | "missing";

function computeVerdict(stages: readonly StageRecord[]): Verdict {
  const record = stages.find(({ stage }) => stage === "verify");
  if (record?.status === "failed") return "failed";
  if (record?.status !== "done") return "missing";
  const changed = stages.some(({ stage, started_at, finished_at }) =>
    DATA_STAGES.includes(stage) && (finished_at ?? started_at) > record.started_at
  );
  return changed ? "outdated" : "done";
}

/** Renders the verdict as a badge for the header of the page. */
export function renderVerdict(stages: readonly StageRecord[]): Html {
  switch (computeVerdict(stages)) {
    case "done":
      return html`<span class="verdict good">✓ Verified</span>`;
    case "failed":
      return html`<span class="verdict bad">✗ Verification failed</span>`;
    default:
      return html`<span class="verdict">Not verified</span>`;
  }
}

/** Describes the verdict in one line of plain text, such as `Verified: 28 checks agree`. */
export function describeVerification(stages: readonly StageRecord[]): { verified: boolean; text: string } {
  switch (computeVerdict(stages)) {
    case "done": {
      const record = stages.find(({ stage }) => stage === "verify")!;
      const checks = checksSchema.safeParse(record.facts.checks);
      return {
        verified: true,
        text: checks.success ? `Verified: ${formatCount(checks.data.length)} checks agree` : "Verified",
      };
    }
    case "failed":
      return { verified: false, text: "Not verified: the last verification failed" };
    case "outdated":
      return { verified: false, text: "Not verified: the data has changed since the last verification" };
    case "missing":
      return { verified: false, text: "Not verified" };
  }
}

function renderCheckTable(checks: readonly Check[]): Html {
  return html`<details><summary>Checks: ${formatCount(checks.length)}</summary>${
    renderTable<Check>("Checks of the verification", [
      { header: "Compared", rowHeader: true, cell: ({ name }) => name },
      { header: "Left", cell: ({ left }) => html`<code class="raw">${left}</code>` },
      { header: "Right", cell: ({ right }) => html`<code class="raw">${right}</code>` },
      { header: "Agree", cell: ({ ok }) => ok ? "✓" : "✗" },
    ], checks)
  }</details>`;
}

/** Renders the result of verify with its checks or its error. */
export function renderVerification(stages: readonly StageRecord[]): Html {
  const record = stages.find(({ stage }) => stage === "verify");
  switch (computeVerdict(stages)) {
    case "done": {
      const checks = checksSchema.safeParse(record!.facts.checks);
      return html`<p class="note good">All data was recounted across every boundary, and agrees to the last digit.</p>
        ${checks.success && renderCheckTable(checks.data)}`;
    }
    case "failed":
      return html`
        <p class="note bad">The last verification failed. Do not rely on these figures until its cause is found.</p>
        <pre class="box" tabindex="0">${record!.error?.message ?? "No error message was recorded."}</pre>
      `;
    case "outdated":
      return html`<p class="note">The data has changed since the last verification: run verify, then report again.</p>`;
    case "missing":
      return html`<p class="note">This run has not been verified: the figures show the current content of PostgreSQL.</p>`;
  }
}
