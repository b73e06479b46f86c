/** Checks of the files against PostgreSQL, and of PostgreSQL's tables against each other. */
import { quoted } from "../dataset/csv_field.ts";
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
import { formatCounts } from "./file_checks.ts";
import { type Difference, type Findings, MAX_DIFFERENCES } from "./checks.ts";
import { compareRows, type KeyedRow } from "./compare_rows.ts";
import type { MeasuredFiles } from "./measure_files.ts";
import saleDifferences from "./sale_differences.sql" with { type: "text" };
import salesSum from "./sales_sum.sql" with { type: "text" };

/** Returns the row count, sums and checksum of shop.sales. */
export function sumSales(db: Postgres): Promise<TextRow> {
  return db.one(salesSum);
}

/**
 * Compares the sums of clean/ with those of shop.sales.
 *
 * @param found result of {@linkcode sumSales}
 * @returns whether they are equal
 */
export function checkSales({ sum }: MeasuredFiles, found: TextRow, findings: Findings): boolean {
  return [
    findings.compare("rows: clean/ = shop.sales", sum.rows, found.rows!),
    findings.compare("quantity: clean/ = shop.sales", sum.quantity, found.quantity!),
    findings.compare("sale_amount: clean/ = shop.sales", fromCents(sum.cents), found.amount!),
    findings.compare("checksum: clean/ = shop.sales", sum.checksum, found.checksum!),
  ].every((ok) => ok);
}

/**
 * Finds the first sales that differ, by copying clean/ into a temporary table. Must be the last step of a transaction,
 * because a failure aborts it.
 */
export async function findDifferingSales(
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
    const rows = await db.query(saleDifferences, [MAX_DIFFERENCES]);
    return rows.map(({ place, clean: left, stored: right }) => ({
      place: place!,
      left: left!,
      right: right!,
    }));
  } catch (error) {
    // Without the privilege to create temporary tables, the differing rows stay unknown.
    if (error instanceof PostgresFailure && !error.transient) return [];
    throw error;
  }
}

/** Yields the rows of the rejected parts, in order. */
async function* readRejectedParts(
  store: Store,
  runId: string,
  rejected: Manifest,
): AsyncGenerator<KeyedRow[]> {
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
      yield lines.map(toRejectedRow);
    }
  }
}

function toRejectedRow(text: string): KeyedRow {
  const [file = "", line] = text.split(",", 2);
  return { key: [file, Number(line)], text };
}

/** Yields the rows of shop.rejected_sales as lines of a rejected part. */
async function* readRejectedTable(db: Postgres, runId: string): AsyncGenerator<KeyedRow[]> {
  const query =
    'SELECT file, line, reason, raw FROM shop.rejected_sales WHERE run_id = $1 ORDER BY file COLLATE "C", line';
  for await (const rows of readRows(db, query, [runId])) {
    yield rows.map(({ file, line, reason, raw }) => ({
      key: [file!, Number(line)],
      text: `${file},${line},${reason},${quoted(raw!)}`,
    }));
  }
}

/** Compares rejected/ with shop.rejected_sales, by content and by reason. */
export async function checkRejected(
  db: Postgres,
  { store, runId }: StageContext,
  rejected: Manifest,
  facts: CleanFacts,
  findings: Findings,
): Promise<void> {
  const name = "content: rejected/ = shop.rejected_sales";
  const found = await compareRows(readRejectedParts(store, runId, rejected), readRejectedTable(db, runId));
  if (!findings.compare(name, found.left, found.right)) findings.addDifferences(name, found.differences);
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

/** Compares the manifests of raw/ and clean/ with the run's row in shop.pipeline_runs, which the report shows. */
export async function checkRun(
  db: Postgres,
  { raw, clean }: MeasuredFiles,
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

/** Compares aggregates recomputed from shop.sales with shop.sales_aggregates. */
export async function checkAggregates(db: Postgres, runId: string, findings: Findings): Promise<void> {
  const [counts, ...differing] = await db.query(aggregateDifferences, [runId, MAX_DIFFERENCES]);
  const { place: recounted, recounted: stored, stored: different } = counts!;
  findings.compare("rows: aggregates recounted from shop.sales = shop.sales_aggregates", recounted!, stored!);
  const name = "differing rows: aggregates recounted from shop.sales = shop.sales_aggregates";
  if (findings.compare(name, "0", different!)) return;
  findings.addDifferences(
    name,
    differing.map(({ place, recounted, stored }) => ({ place: place!, left: recounted!, right: stored! })),
  );
}
