/** The checks between the files and PostgreSQL, and within PostgreSQL. */
import { fromCents } from "../domain/money.ts";
import type { StageContext } from "../pipeline/stage.ts";
import { copyIn } from "../postgres/copy.ts";
import { readRows } from "../postgres/cursor.ts";
import { PostgresFailure } from "../postgres/errors.ts";
import type { Postgres, TextRow } from "../postgres/session.ts";
import { SALE_COLUMNS } from "../domain/sale.ts";
import { datasetFolder, type Manifest } from "../dataset/dataset.ts";
import type { CleanFacts } from "../dataset/facts.ts";
import type { Store } from "../store/store.ts";
import aggregateDifferences from "./aggregate_differences.sql" with { type: "text" };
import { formatCounts } from "./boundaries.ts";
import { type Difference, type Findings, NAMED_DIFFERENCES } from "./checks.ts";
import { compareRows, type KeyedRow } from "./compare_rows.ts";
import type { Files } from "./files.ts";
import saleDifferences from "./sale_differences.sql" with { type: "text" };
import salesSum from "./sales_sum.sql" with { type: "text" };

/** The sums of shop.sales. */
export function sumSales(db: Postgres): Promise<TextRow> {
  return db.one(salesSum);
}

/** clean/ = shop.sales. @param found from {@linkcode sumSales} @returns whether they agree */
export function checkSales({ sum }: Files, found: TextRow, findings: Findings): boolean {
  return [
    findings.compare("rows: clean/ = shop.sales", sum.rows, found.rows!),
    findings.compare("quantity: clean/ = shop.sales", sum.quantity, found.quantity!),
    findings.compare("sale_amount: clean/ = shop.sales", fromCents(sum.cents), found.amount!),
    findings.compare("checksum: clean/ = shop.sales", sum.checksum, found.checksum!),
  ].every((ok) => ok);
}

/** The first sales that differ, found by copying clean/ beside shop.sales. The last work of a transaction. */
export async function differingSales(
  db: Postgres,
  { store, runId }: StageContext,
  clean: Manifest,
): Promise<Difference[]> {
  try {
    await db.query("CREATE TEMPORARY TABLE salesflow_clean (LIKE shop.sales) ON COMMIT DROP");
    for (const { name } of clean.parts) {
      await copyIn(
        db,
        `COPY pg_temp.salesflow_clean (${SALE_COLUMNS.join(", ")}) FROM STDIN (FORMAT csv, HEADER true)`,
        await store.stream(`${datasetFolder(runId, "clean")}/${name}`),
      );
    }
    const rows = await db.query(saleDifferences, [NAMED_DIFFERENCES]);
    return rows.map(({ place, clean: left, stored: right }) => ({
      place: place!,
      left: left!,
      right: right!,
    }));
  } catch (error) {
    // Who may not make temporary tables learns that rows differ, but not which.
    if (error instanceof PostgresFailure && !error.transient) return [];
    throw error;
  }
}

/** Lines of the rejected parts, in order. */
async function* rejectedLines(store: Store, runId: string, rejected: Manifest): AsyncGenerator<KeyedRow[]> {
  for (const { name } of rejected.parts) {
    const bytes = await store.stream(`${datasetFolder(runId, "rejected")}/${name}`);
    let rest = "";
    let header = true;
    for await (const text of bytes.pipeThrough(new TextDecoderStream("utf-8", { ignoreBOM: true }))) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      if (header && lines.length > 0) {
        lines.shift();
        header = false;
      }
      yield lines.map(rejectedKey);
    }
  }
}

function rejectedKey(text: string): KeyedRow {
  const [file = "", line] = text.split(",", 2);
  return { key: [file, Number(line)], text };
}

async function* storedRejected(db: Postgres, runId: string): AsyncGenerator<KeyedRow[]> {
  const query =
    'SELECT file, line, reason, raw FROM shop.rejected_sales WHERE run_id = $1 ORDER BY file COLLATE "C", line';
  for await (const rows of readRows(db, query, [runId])) {
    yield rows.map(({ file, line, reason, raw }) => ({
      key: [file!, Number(line)],
      text: `${file},${line},${reason},"${raw!.replaceAll('"', '""')}"`,
    }));
  }
}

/** rejected/ = shop.rejected_sales, in content and by reason. */
export async function checkRejected(
  db: Postgres,
  { store, runId }: StageContext,
  rejected: Manifest,
  facts: CleanFacts,
  findings: Findings,
): Promise<void> {
  const name = "content: rejected/ = shop.rejected_sales";
  const found = await compareRows(rejectedLines(store, runId, rejected), storedRejected(db, runId));
  if (!findings.compare(name, found.left, found.right)) findings.differ(name, found.differences);
  const reasons = await db.query(
    "SELECT reason, count(*) AS rows FROM shop.rejected_sales WHERE run_id = $1 GROUP BY reason",
    [runId],
  );
  const byReason = Object.fromEntries(reasons.map(({ reason, rows }) => [reason!, Number(rows)]));
  findings.compare(
    "reasons: clean/manifest.json = shop.rejected_sales",
    formatCounts(facts.rejected_by_reason),
    formatCounts(byReason),
  );
}

/** The manifests of raw/ and clean/ = the run's row in shop.pipeline_runs, which the report tells. */
export async function checkRun(
  db: Postgres,
  { raw, clean }: Files,
  facts: CleanFacts,
  findings: Findings,
): Promise<void> {
  const row = await db.one(
    "SELECT as_of, source, clean_engine, raw_rows, clean_rows, duplicate_rows, rejected_rows, rejected_by_reason FROM shop.pipeline_runs WHERE run_id = $1",
    [clean.run_id],
  );
  const { rows_in, rows_out, duplicates, rejected } = facts;
  const { as_of, clean_engine, raw_rows, clean_rows, duplicate_rows, rejected_rows } = row;
  findings.compare(
    "facts: clean/manifest.json = shop.pipeline_runs",
    [clean.as_of, clean.engine, rows_in, rows_out, duplicates, rejected].join(", "),
    [as_of, clean_engine, raw_rows, clean_rows, duplicate_rows, rejected_rows].join(", "),
  );
  findings.compare("source: raw/manifest.json = shop.pipeline_runs", String(raw.facts.source), row.source!);
  findings.compare(
    "reasons: clean/manifest.json = shop.pipeline_runs",
    formatCounts(facts.rejected_by_reason),
    formatCounts(JSON.parse(row.rejected_by_reason!)),
  );
}

/** Aggregates counted again from shop.sales = shop.sales_aggregates. */
export async function checkAggregates(db: Postgres, runId: string, findings: Findings): Promise<void> {
  const [counts, ...differing] = await db.query(aggregateDifferences, [runId, NAMED_DIFFERENCES]);
  const { place: recounted, recounted: stored, stored: different } = counts!;
  findings.compare("rows: aggregates recounted from shop.sales = shop.sales_aggregates", recounted!, stored!);
  const name = "differing rows: aggregates recounted from shop.sales = shop.sales_aggregates";
  if (findings.compare(name, "0", different!)) return;
  findings.differ(
    name,
    differing.map(({ place, recounted, stored }) => ({ place: place!, left: recounted!, right: stored! })),
  );
}
