/** transfer: the aggregates go from PostgreSQL to ClickHouse, as the rows of the run's as-of date. */
import { type ClickHouse, quoteClickHouseName, withClickHouse } from "../clickhouse/session.ts";
import type { IsoDate } from "../domain/dates.ts";
import { SalesflowError } from "../console/errors.ts";
import { type DatabaseLimits, DEFAULT_LIMITS } from "../connection/limits.ts";
import type { StageContext, StageResult } from "../pipeline/stage.ts";
import { AGGREGATE_COLUMNS, readAggregates } from "../postgres/aggregates.ts";
import { aggregatesRemedy } from "../postgres/loaded_run.ts";
import { takeLock } from "../postgres/lock.ts";
import { type Postgres, withPostgres } from "../postgres/session.ts";
import { checkAsOf, findDataset } from "../dataset/dataset.ts";
import {
  createStaging,
  dropDate,
  dropStaging,
  dropStaleStaging,
  replaceDate,
  stagingPrefix,
} from "./staging.ts";
import { differences, type Totals, totalsOfClickHouse, totalsOfPostgres } from "./totals.ts";

const COLUMNS = ["import_date", ...AGGREGATE_COLUMNS, "imported_at"];

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
      remedy: `${await aggregatesRemedy(db, runId)}; or name the run that was aggregated: --run-id ${other}`,
    },
  );
}

/** The import date must be that of the files, and of what was loaded from them. */
async function checkDate(from: Postgres, { store, runId, asOf }: StageContext): Promise<void> {
  const manifests = [await findDataset(store, runId, "raw"), await findDataset(store, runId, "clean")];
  checkAsOf(manifests, { runId, asOf, stage: "transfer" });
  const [loaded] = await from.query("SELECT as_of FROM shop.pipeline_runs WHERE run_id = $1", [runId]);
  if (!loaded || loaded.as_of === asOf) return;
  throw new SalesflowError(`Run ${runId} was loaded as of ${loaded.as_of}, not ${asOf}`, {
    exitCode: 2,
    stage: "transfer",
    runId,
    remedy: `Leave --as-of out, or run "salesflow load --run-id ${runId}" and aggregate again.`,
  });
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
  for await (const rows of readAggregates(from)) {
    for (const values of rows) yield [importDate, ...values, importedAt];
  }
}

async function move(
  from: Postgres,
  to: ClickHouse,
  prefix: string,
  context: StageContext,
): Promise<Totals> {
  const { runId, asOf } = context;
  const { totals, runs } = await totalsOfPostgres(from);
  await checkRun(from, runs, runId);
  await checkDate(from, context);
  const staging = await createStaging(to, prefix, runId);
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
        const prefix = await stagingPrefix(from);
        await dropStaleStaging(to, prefix);
        return await from.transaction(
          () => move(from, to, prefix, context),
          "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        );
      }),
  );
  const rows = Number(totals.rows);
  context.progress(rows, rows);
  return { rowsIn: rows, rowsOut: rows, facts: { import_date: context.asOf, totals } };
}
