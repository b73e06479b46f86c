/** transfer: the aggregates go from PostgreSQL to ClickHouse, as the rows of the run's as-of date. */
import { type ClickHouse, quoteClickHouseName, withClickHouse } from "../clickhouse/session.ts";
import type { IsoDate } from "../dates.ts";
import { SalesflowError } from "../errors.ts";
import { type DatabaseLimits, DEFAULT_LIMITS } from "../limits.ts";
import type { StageContext, StageResult } from "../pipeline/stage.ts";
import { readRows } from "../postgres/cursor.ts";
import { howToAggregate } from "../postgres/loaded_run.ts";
import { takeLock } from "../postgres/lock.ts";
import { type Postgres, withPostgres } from "../postgres/session.ts";
import selectAggregates from "./select_aggregates.sql" with { type: "text" };
import { createStaging, dropDate, dropStaging, dropStaleStaging, replaceDate } from "./staging.ts";
import { differences, type Totals, totalsOfClickHouse, totalsOfPostgres } from "./totals.ts";

/** Columns that both tables have. */
const VALUES = [
  "level",
  "region",
  "product_id",
  "total_sales",
  "total_quantity",
  "total_amount",
  "average_sale_amount",
  "amount_share",
  "amount_rank",
  "cumulative_share",
  "run_id",
];
const COLUMNS = ["import_date", ...VALUES, "imported_at"];

/** What {@linkcode transfer} may be told. */
export interface TransferOptions {
  /** @default {DEFAULT_LIMITS} */
  limits?: DatabaseLimits;
}

async function checkRun(db: Postgres, runs: [string | null, string | null], runId: string): Promise<void> {
  const other = runs.find((run) => run !== null && run !== runId);
  if (other === undefined) return;
  throw new SalesflowError(
    `shop.sales_aggregates in PostgreSQL was computed by run ${other}, not by ${runId}`,
    {
      stage: "transfer",
      runId,
      remedy: `${await howToAggregate(db, runId)}; or name the run that was aggregated: --run-id ${other}`,
    },
  );
}

function checkTotals(sent: Totals, found: Totals, runId: string): void {
  const wrong = differences(sent, found);
  if (wrong.length === 0) return;
  const list = wrong.map((name) => `${name} ${sent[name]} became ${found[name]}`).join(", ");
  throw new SalesflowError(`Rows changed on the way from PostgreSQL to ClickHouse: ${list}`, {
    stage: "transfer",
    runId,
    remedy:
      "Nothing was published. Compare the columns of shop.sales_aggregates in both databases, then run transfer again.",
  });
}

/** Rows for ClickHouse, as text; neither side holds all of them in memory. */
async function* rowsOf(from: Postgres, importDate: IsoDate): AsyncGenerator<(string | null)[]> {
  const importedAt = new Date().toISOString().replace("T", " ").replace("Z", "");
  for await (const batch of readRows(from, selectAggregates)) {
    for (const row of batch) yield [importDate, ...VALUES.map((name) => row[name]!), importedAt];
  }
}

async function move(from: Postgres, to: ClickHouse, context: StageContext): Promise<Totals> {
  const { runId, asOf } = context;
  const { totals, runs } = await totalsOfPostgres(from);
  await checkRun(from, runs, runId);
  const staging = await createStaging(to, runId);
  try {
    await to.insert(quoteClickHouseName("shop", staging), COLUMNS, rowsOf(from, asOf));
    checkTotals(totals, await totalsOfClickHouse(to, staging, asOf), runId);
    if (totals.rows === "0") await dropDate(to, asOf);
    else await replaceDate(to, staging, asOf);
  } finally {
    // What cannot be dropped now is dropped by the next transfer.
    if (!context.signal.aborted) await dropStaging(to, staging).catch(() => {});
  }
  return totals;
}

/**
 * Transfers the aggregates of a run. Rows of the same date are replaced in one step, other dates stay. May be ended at
 * any moment and run again.
 *
 * @throws {SalesflowError} when the aggregates are of another run, or a database fails
 */
export async function transfer(context: StageContext, options: TransferOptions = {}): Promise<StageResult> {
  const { limits = DEFAULT_LIMITS } = options;
  const { postgresUrl, clickhouseUrl, signal } = context;
  const common = { stage: "transfer", signal, limits };
  // ClickHouse outside: when it fails in the middle of the stream, PostgreSQL's half-read connection goes too.
  const totals = await withClickHouse(
    { ...common, url: clickhouseUrl },
    (to) =>
      withPostgres({ ...common, url: postgresUrl }, async (from) => {
        await takeLock(from, "salesflow:transfer", "session");
        await dropStaleStaging(to);
        return await from.transaction(
          () => move(from, to, context),
          "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        );
      }),
  );
  const rows = Number(totals.rows);
  context.progress(rows, rows);
  return { rowsIn: rows, rowsOut: rows, facts: { import_date: context.asOf, totals } };
}
