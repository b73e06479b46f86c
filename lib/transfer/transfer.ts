/** transfer: copies the aggregates from PostgreSQL to ClickHouse, as the rows of the run's as-of date. */
import { quoteIdentifier } from "../clickhouse/quote.ts";
import { type ClickHouse, withClickHouse } from "../clickhouse/session.ts";
import type { IsoDate } from "../domain/dates.ts";
import { SalesflowError } from "../console/errors.ts";
import { type DatabaseLimits, DEFAULT_LIMITS } from "../connection/limits.ts";
import type { StageContext, StageResult } from "../pipeline/stage.ts";
import { AGGREGATE_COLUMNS, readAggregates } from "../postgres/aggregates.ts";
import { aggregatesRemedy, OtherRunError } from "../postgres/loaded_run.ts";
import { acquireAdvisoryLock, TRANSFER_LOCK } from "../postgres/advisory_lock.ts";
import { type Postgres, withPostgres } from "../postgres/session.ts";
import { checkAsOf, readManifest } from "../dataset/dataset.ts";
import {
  createStagingTable,
  dropPartition,
  dropStagingTable,
  dropStaleStagingTables,
  replacePartition,
  stagingPrefix,
} from "./staging.ts";
import { copyProducts } from "./products.ts";
import { differingTotals, readClickHouseTotals, readPostgresTotals, type Totals } from "./totals.ts";

const COLUMNS = ["import_date", ...AGGREGATE_COLUMNS, "imported_at"];

/** Options of {@linkcode transfer}. */
export interface TransferOptions {
  /** Timeouts and retries. @default {DEFAULT_LIMITS} */
  limits?: DatabaseLimits;
}

/** Checks that the aggregates are of this run. @param runs smallest and largest run id of the rows */
async function checkRun(db: Postgres, runs: [string | null, string | null], runId: string): Promise<void> {
  const other = runs.find((run) => run !== null && run !== runId);
  if (other === undefined) return;
  throw new OtherRunError(
    `shop.sales_aggregates in PostgreSQL was computed by run ${other}, not by ${runId}`,
    {
      stage: "transfer",
      runId,
      remedy: `${await aggregatesRemedy(db, runId)}; or name the run that was aggregated: --run-id ${other}`,
    },
  );
}

/** Checks that the import date is the as-of date of the files and of the loaded rows. */
async function checkImportDate(from: Postgres, { store, runId, asOf }: StageContext): Promise<void> {
  const manifests = [await readManifest(store, runId, "raw"), await readManifest(store, runId, "clean")];
  checkAsOf(manifests, { runId, asOf, stage: "transfer" });
  const [loaded] = await from.query("SELECT as_of FROM shop.pipeline_runs WHERE run_id = $1", [runId]);
  if (!loaded || loaded.as_of === asOf) return;
  throw new SalesflowError(`Run ${runId} was loaded as of ${loaded.as_of}, not ${asOf}`, {
    exitCode: 2,
    stage: "transfer",
    runId,
    remedy: `Omit --as-of, or run "salesflow load --run-id ${runId}" and aggregate again.`,
  });
}

function checkTotals(sent: Totals, found: Totals, runId: string): void {
  const differing = differingTotals(sent, found);
  if (differing.length === 0) return;
  const list = differing.map((name) => `${name} ${sent[name]} became ${found[name]}`).join(", ");
  throw new SalesflowError(`Rows changed in transit from PostgreSQL to ClickHouse: ${list}`, {
    stage: "transfer",
    runId,
    remedy:
      "Nothing was published. Compare the columns of shop.sales_aggregates in both databases, then run transfer again.",
  });
}

/** Yields the rows for ClickHouse as text, streamed from PostgreSQL. */
async function* readImportRows(from: Postgres, importDate: IsoDate): AsyncGenerator<(string | null)[]> {
  const importedAt = new Date().toISOString().replace("T", " ").replace("Z", "");
  for await (const rows of readAggregates(from)) {
    for (const values of rows) yield [importDate, ...values, importedAt];
  }
}

/** Copies the aggregates into a staging table, compares the totals, and publishes the rows. */
async function copyAggregates(
  from: Postgres,
  to: ClickHouse,
  prefix: string,
  context: StageContext,
): Promise<Totals> {
  const { runId, asOf } = context;
  const { totals, runs } = await readPostgresTotals(from);
  await checkRun(from, runs, runId);
  await checkImportDate(from, context);
  const staging = await createStagingTable(to, prefix, runId, "sales_aggregates");
  try {
    await to.insert(quoteIdentifier("shop", staging), COLUMNS, readImportRows(from, asOf));
    checkTotals(totals, await readClickHouseTotals(to, staging, asOf), runId);
    if (totals.rows === "0") await dropPartition(to, asOf);
    else await replacePartition(to, staging, asOf);
  } finally {
    // If this fails, the next transfer drops the table.
    if (!context.signal.aborted) await dropStagingTable(to, staging).catch(() => {});
  }
  return totals;
}

/**
 * Transfers the aggregates of a run. Rows of the same date are replaced atomically; other dates stay. May be interrupted
 * at any moment and run again.
 *
 * @throws {SalesflowError} when the aggregates belong to another run, or a database fails
 */
export async function transfer(context: StageContext, options: TransferOptions = {}): Promise<StageResult> {
  const { limits = DEFAULT_LIMITS } = options;
  const { postgresUrl, clickhouseUrl, signal } = context;
  const common = { stage: "transfer", signal, limits };
  // ClickHouse is the outer session: a retry after it fails mid-stream needs a new PostgreSQL connection too.
  const totals = await withClickHouse(
    { ...common, url: clickhouseUrl },
    (to) =>
      withPostgres({ ...common, url: postgresUrl }, async (from) => {
        await acquireAdvisoryLock(from, TRANSFER_LOCK, "session");
        const prefix = await stagingPrefix(from);
        await dropStaleStagingTables(to, prefix);
        return await from.transaction(
          async () => {
            const totals = await copyAggregates(from, to, prefix, context);
            await copyProducts(from, to, prefix, context);
            return totals;
          },
          "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        );
      }),
  );
  const rows = Number(totals.rows);
  context.progress(rows, rows);
  return { rowsIn: rows, rowsOut: rows, facts: { import_date: context.asOf, totals } };
}
