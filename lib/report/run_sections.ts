/** What the report says about the data and the run. */
import type { StageRecord } from "../pipeline/records.ts";
import { type Reason, REASONS } from "../domain/sale.ts";
import type { Example, Figures } from "./figures.ts";
import { count, duration, rowsPerSecond, share } from "./format.ts";
import { type Html, html } from "./html.ts";
import { bar, figure, table } from "./parts.ts";
import { verification } from "./verification.ts";
import { REASON_WORDS, STAGE_WORDS } from "./words.ts";

/** A rejected row in quotation marks: pasted into a spreadsheet, no cell begins with what was in the file. */
function quotedRow({ raw, cut }: Example): Html {
  return html`<code class="raw"><bdi dir="ltr">“${raw}${cut ? "…" : ""}”</bdi></code>`;
}

function exampleTable(examples: readonly Example[]): Html {
  const order = (reason: string) => (REASONS as readonly string[]).indexOf(reason);
  const sorted = [...examples].sort((a, b) => order(a.reason) - order(b.reason));
  return html`<details><summary>Examples of rejected rows</summary>${
    table<Example>("The first rejected rows of each reason, as they were", [
      { head: "Reason", row: true, cell: ({ reason }) => html`<code>${reason}</code>` },
      { head: "File and line", cell: ({ file, line }) => `${file}:${line}` },
      { head: "Row", cell: quotedRow },
    ], sorted)
  }</details>`;
}

/** What became of the raw rows. */
export function qualitySection({ quality, examples }: Figures): Html {
  const { raw, clean, duplicates, rejected, byReason } = quality;
  const found = REASONS.filter((reason) => byReason[reason] > 0).sort((a, b) => byReason[b] - byReason[a]);
  const absent = REASONS.filter((reason) => byReason[reason] === 0);
  const most = BigInt(found[0] === undefined ? 0 : byReason[found[0]]);
  const tile = (name: string, rows: bigint, note: string) =>
    html`
      <div>
        <dt>${name}</dt>
        <dd>${count(rows)} <small>${note}</small></dd>
      </div>
    `;
  return html`
    <section id="quality"><h2>Data quality</h2>
        <dl class="facts sum">
          ${tile("Raw rows", raw, "as they came")}
          ${tile("Accepted", clean, share(clean, raw))}
          ${tile("Duplicates", duplicates, share(duplicates, raw))}
          ${tile("Rejected", rejected, share(rejected, raw))}
        </dl>
        <p class="note">Nothing is dropped silently: ${count(raw)} = ${count(clean)} + ${count(
          duplicates,
        )} + ${count(rejected)}.
          Rejected rows are kept with their reason, file and line in <code>shop.rejected_sales</code>.</p>
        ${found.length > 0 &&
          figure(
            "Why rows were rejected",
            absent.length > 0 &&
              html`No row was rejected for ${
                absent.map((reason, index) => html`${index > 0 && ", "}<code>${reason}</code>`)
              }.`,
            [
              table<Reason>("Rejected rows by reason", [
                {
                  head: "Reason",
                  row: true,
                  cell: (reason) => html`${REASON_WORDS[reason]} <code>${reason}</code>`,
                },
                { head: "Rows", number: true, cell: (reason) => count(byReason[reason]) },
                { head: "of raw", number: true, cell: (reason) => share(BigInt(byReason[reason]), raw) },
                { head: "", extra: true, cell: (reason) => bar(BigInt(byReason[reason]), most, "bad") },
              ], found),
              examples.length > 0 && exampleTable(examples),
            ],
          )}
      </section>
  `;
}

function rows(value: number | null): string {
  return value ? count(value) : "–";
}

/** How the run went: stages, verification, and what fixes its data. */
export function runSection({ stages, provenance }: Figures): Html {
  // The record of this very stage is not finished while it writes.
  const shown = stages.filter(({ stage }) => stage !== "report");
  const longest = BigInt(Math.round(1000 * Math.max(0, ...shown.map(({ seconds }) => seconds ?? 0))));
  const total = shown.reduce((sum, { seconds }) => sum + (seconds ?? 0), 0);
  return html`
    <section id="run"><h2>The run</h2>
        ${figure("Verification", undefined, verification(stages))}
        ${shown.length > 0 && figure(
          "Stages",
          `${duration(total)} in all, before this report.`,
          table<StageRecord>("Stages of the run", [
            {
              head: "Stage",
              row: true,
              cell: ({ stage }) => html`${stage} <small class="full">${STAGE_WORDS[stage]}</small>`,
            },
            { head: "Rows in", number: true, cell: ({ rows_in }) => rows(rows_in) },
            { head: "Rows out", number: true, cell: ({ rows_out }) => rows(rows_out) },
            {
              head: "Time",
              number: true,
              cell: ({ seconds, status }) =>
                seconds === null ? status : duration(seconds) + (status === "failed" ? ", failed" : ""),
            },
            {
              head: "Rows a second",
              number: true,
              extra: true,
              cell: (record) => rowsPerSecond(record) ?? "–",
            },
            {
              head: "",
              extra: true,
              cell: ({ seconds }) => bar(BigInt(Math.round(1000 * (seconds ?? 0))), longest),
            },
          ], shown),
        )}
        ${figure(
          "Where the figures come from",
          "The same source, seed and as-of day give the same figures again.",
          html`<dl class="origin">${
            provenance.map(([name, value]) =>
              html`
                <div>
                  <dt>${name}</dt>
                  <dd>${value}</dd>
                </div>
              `
            )
          }</dl>`,
        )}
      </section>
  `;
}
