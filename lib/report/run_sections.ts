/** The sections about data quality and the run. */
import type { StageRecord } from "../pipeline/records.ts";
import { type Reason, REASONS } from "../domain/sale.ts";
import type { Exclusion, RejectedAmount, RejectedExample, ReportData } from "./report_data.ts";
import { formatAmount, formatCount, formatDuration, formatRowsPerSecond, formatShare } from "./format.ts";
import { type Child, type Html, html } from "./html.ts";
import { renderBar, renderFigure, renderTable } from "./components.ts";
import { renderVerification } from "./verification.ts";
import { REASON_LABELS, STAGE_LABELS } from "./labels.ts";

/** Renders a rejected row in quotation marks, so that a spreadsheet it is pasted into evaluates no formula. */
function renderQuotedRow({ raw, truncated }: RejectedExample): Html {
  return html`<code class="raw"><bdi dir="ltr">“${raw}${truncated ? "…" : ""}”</bdi></code>`;
}

function renderRejectedExamples(examples: readonly RejectedExample[]): Html {
  const order = (reason: string) => (REASONS as readonly string[]).indexOf(reason);
  const sorted = [...examples].sort((a, b) => order(a.reason) - order(b.reason));
  return html`<details><summary>Examples of rejected rows</summary>${
    renderTable<RejectedExample>("The first rejected rows of each reason, unchanged", [
      { header: "Reason", rowHeader: true, cell: ({ reason }) => html`<code>${reason}</code>` },
      { header: "File and line", cell: ({ file, line }) => `${file}:${line}` },
      { header: "Row", cell: renderQuotedRow },
    ], sorted)
  }</details>`;
}

/** Renders the sum of the amounts that are valid, and of how many rows it is if not of all. */
function renderRejectedAmount({ rows, amountCents }: RejectedAmount, all: bigint): Child {
  if (rows === 0n) return "–";
  return html`${formatAmount(amountCents)}${
    rows < all && html`
      <small>of ${formatCount(rows)} rows</small>
    `
  }`;
}

/** Renders the counts of accepted, duplicate and rejected rows. */
export function renderQualitySection({ quality, examples, exclusions, warnings }: ReportData): Html {
  const { raw, clean, duplicates, rejected, byReason, amounts } = quality;
  const found = REASONS.filter((reason) => byReason[reason] > 0).sort((a, b) => byReason[b] - byReason[a]);
  const absent = REASONS.filter((reason) => byReason[reason] === 0);
  const most = BigInt(found[0] === undefined ? 0 : byReason[found[0]]);
  const tile = (name: string, rows: bigint, note: string) =>
    html`
      <div>
        <dt>${name}</dt>
        <dd>${formatCount(rows)} <small>${note}</small></dd>
      </div>
    `;
  return html`
    <section id="quality"><h2>Data quality</h2>
        <dl class="facts sum">
          ${tile("Raw rows", raw, "as received")}
          ${tile("Accepted", clean, formatShare(clean, raw))}
          ${tile("Duplicates", duplicates, formatShare(duplicates, raw))}
          ${tile("Rejected", rejected, formatShare(rejected, raw))}
        </dl>
        <p class="note">Nothing is dropped silently: ${formatCount(raw)} = ${formatCount(
          clean,
        )} + ${formatCount(
          duplicates,
        )} + ${formatCount(rejected)}.
          Rejected rows are kept with their reason, file and line in <code>shop.rejected_sales</code>.</p>
        ${warnings.length > 0 &&
          renderFigure(
            "Please check",
            undefined,
            html`<ul>${warnings.map((warning) => html`<li>${warning}.</li>`)}</ul>`,
          )}
        ${found.length > 0 &&
          renderFigure(
            "Why rows were rejected",
            absent.length > 0 &&
              html`No row was rejected for ${
                absent.map((reason, index) => html`${index > 0 && ", "}<code>${reason}</code>`)
              }.`,
            [
              renderTable<Reason>("Rejected rows by reason", [
                {
                  header: "Reason",
                  rowHeader: true,
                  cell: (reason) => html`${REASON_LABELS[reason]} <code>${reason}</code>`,
                },
                { header: "Rows", numeric: true, cell: (reason) => formatCount(byReason[reason]) },
                {
                  header: "of raw",
                  numeric: true,
                  cell: (reason) => formatShare(BigInt(byReason[reason]), raw),
                },
                ...(amounts
                  ? [{
                    header: "Amount, ₽",
                    numeric: true,
                    cell: (reason: Reason) => renderRejectedAmount(amounts[reason], BigInt(byReason[reason])),
                  }]
                  : []),
                {
                  header: "",
                  wideOnly: true,
                  cell: (reason) => renderBar(BigInt(byReason[reason]), most, "bad"),
                },
              ], found),
              examples.length > 0 && renderRejectedExamples(examples),
            ],
          )}
        ${exclusions.length > 0 && renderFigure(
          "What was left out on purpose",
          "Lines of the exports that are no sales by the rules of the source file; they are no raw rows.",
          [
            renderTable<Exclusion>("Excluded lines by rule", [
              { header: "Rule", rowHeader: true, cell: ({ rule }) => html`<code>${rule}</code>` },
              { header: "Lines", numeric: true, cell: ({ lines }) => formatCount(lines) },
              { header: "Amount, ₽", numeric: true, cell: ({ amountCents }) => formatAmount(amountCents) },
            ], exclusions),
          ],
        )}
      </section>
  `;
}

function formatRows(value: number | null): string {
  return value ? formatCount(value) : "–";
}

/** Renders the verification, the stages and the provenance of the data. */
export function renderRunSection({ stages, provenance }: ReportData): Html {
  // The record of the report stage is incomplete while it writes the page.
  const shown = stages.filter(({ stage }) => stage !== "report");
  const longest = BigInt(Math.round(1000 * Math.max(0, ...shown.map(({ seconds }) => seconds ?? 0))));
  const total = shown.reduce((sum, { seconds }) => sum + (seconds ?? 0), 0);
  return html`
    <section id="run"><h2>The run</h2>
        ${renderFigure("Verification", undefined, renderVerification(stages))}
        ${shown.length > 0 && renderFigure(
          "Stages",
          `${formatDuration(total)} in total, without this report.`,
          renderTable<StageRecord>("Stages of the run", [
            {
              header: "Stage",
              rowHeader: true,
              cell: ({ stage }) => html`${stage} <small class="full">${STAGE_LABELS[stage]}</small>`,
            },
            { header: "Rows in", numeric: true, cell: ({ rows_in }) => formatRows(rows_in) },
            { header: "Rows out", numeric: true, cell: ({ rows_out }) => formatRows(rows_out) },
            {
              header: "Time",
              numeric: true,
              cell: ({ seconds, status }) =>
                seconds === null ? status : formatDuration(seconds) + (status === "failed" ? ", failed" : ""),
            },
            {
              header: "Rows per second",
              numeric: true,
              wideOnly: true,
              cell: (record) => formatRowsPerSecond(record) ?? "–",
            },
            {
              header: "",
              wideOnly: true,
              cell: ({ seconds }) => renderBar(BigInt(Math.round(1000 * (seconds ?? 0))), longest),
            },
          ], shown),
        )}
        ${renderFigure(
          "Where the figures come from",
          "The same source, seed and as-of date reproduce the same figures.",
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
