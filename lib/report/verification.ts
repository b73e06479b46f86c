/** Whether somebody may rely on the figures: what verify found, and whether the data is still what it looked at. */
import { z } from "zod";
import type { StageRecord } from "../pipeline/records.ts";
import { count } from "./format.ts";
import { type Html, html } from "./html.ts";
import { table } from "./parts.ts";

/** Checks as verify keeps them in its record. */
const checksSchema = z.array(
  z.object({ name: z.string(), left: z.string(), right: z.string(), ok: z.boolean() }),
);

type Check = z.infer<typeof checksSchema>[number];

/** Stages after which an earlier verification says nothing any more. */
const CHANGES_DATA = ["generate", "ingest", "clean", "load", "aggregate", "transfer"];

type Verdict = "done" | "failed" | "outdated" | "missing";

function verdictOf(stages: readonly StageRecord[]): Verdict {
  const record = stages.find(({ stage }) => stage === "verify");
  if (record?.status === "failed") return "failed";
  if (record?.status !== "done") return "missing";
  const changed = stages.some(({ stage, started_at, finished_at }) =>
    CHANGES_DATA.includes(stage) && (finished_at ?? started_at) > record.started_at
  );
  return changed ? "outdated" : "done";
}

/** In a word, for the page's head. */
export function verdict(stages: readonly StageRecord[]): Html {
  switch (verdictOf(stages)) {
    case "done":
      return html`<span class="verdict good">✓ Verified</span>`;
    case "failed":
      return html`<span class="verdict bad">✗ Verification failed</span>`;
    default:
      return html`<span class="verdict">Not verified</span>`;
  }
}

function checkTable(checks: readonly Check[]): Html {
  return html`<details><summary>What was compared: ${count(checks.length)}</summary>${
    table<Check>("Checks of the verification", [
      { head: "Both sides", row: true, cell: ({ name }) => name },
      { head: "Left", cell: ({ left }) => html`<code class="raw">${left}</code>` },
      { head: "Right", cell: ({ right }) => html`<code class="raw">${right}</code>` },
      { head: "Agree", cell: ({ ok }) => ok ? "✓" : "✗" },
    ], checks)
  }</details>`;
}

/** What verify found, in full. */
export function verification(stages: readonly StageRecord[]): Html {
  const record = stages.find(({ stage }) => stage === "verify");
  switch (verdictOf(stages)) {
    case "done": {
      const checks = checksSchema.safeParse(record!.facts.checks);
      return html`<p class="note good">Everything was counted again across every boundary, to the kopeck, and agrees.</p>
        ${checks.success && checkTable(checks.data)}`;
    }
    case "failed":
      return html`
        <p class="note bad">The last verification failed. Do not rely on these figures before its cause is found.</p>
        <pre class="box" tabindex="0">${record!.error?.message ?? "It left no message."}</pre>
      `;
    case "outdated":
      return html`<p class="note">The data has changed since it was last verified: run verify, then report again.</p>`;
    case "missing":
      return html`<p class="note">This run has not been verified: the figures are those of PostgreSQL as they stand.</p>`;
  }
}
