/**
 * prune: removes old runs from the store and from PostgreSQL, old import dates from ClickHouse, and staging tables that
 * interrupted stages left. It holds the lock on all tables, and the lock of each run that it removes, so that it never
 * meets a stage. May be killed at any moment and run again.
 */
import { type ClickHouse, withClickHouse } from "../clickhouse/session.ts";
import { dropStaleStagingTables, findStaleStagingTables, LOAD_LOCK } from "../load/staging.ts";
import { acquireAdvisoryLock, TRANSFER_LOCK } from "../postgres/advisory_lock.ts";
import { readTableRuns } from "../postgres/loaded_run.ts";
import { type Postgres, withPostgres } from "../postgres/session.ts";
import { withTablesLock } from "../postgres/tables_lock.ts";
import { tryLockRun } from "../store/run_lock.ts";
import type { Store } from "../store/store.ts";
import * as transferStaging from "../transfer/staging.ts";
import { readImportDates } from "./import_dates.ts";
import { type LoadedRun, readLoadedRuns, removeLoadedRun } from "./loaded_runs.ts";
import { type KeptRun, type KnownRun, type Rule, selectDates, selectRuns } from "./selection.ts";
import { readStoredRun, readStoredRuns, removeStoredRun } from "./stored_runs.ts";

/** Where to prune. */
export interface PruneContext {
  /** Store of the runs. */
  store: Store;
  /** PostgreSQL. */
  postgresUrl: string;
  /** ClickHouse. */
  clickhouseUrl: string;
  /** Stops after the current step. */
  signal: AbortSignal;
}

/** What to prune. */
export interface PruneOptions {
  /** What is kept. */
  rule: Rule;
  /** Whether old import dates go, too. */
  importDates: boolean;
  /** Whether to remove nothing. */
  dryRun: boolean;
  /** The time, in milliseconds since 1970. @default {Date.now()} */
  nowMs?: number;
}

/** What was removed, or would be. The names are part of the interface: docs/json.md. */
export interface PruneResult {
  /** Whether nothing was removed. */
  dry_run: boolean;
  /** Removed runs, the oldest first; null for what a run does not have. */
  runs: {
    run_id: string;
    last_used: string;
    folder_bytes: number | null;
    rejected_rows: number | null;
    rejected_bytes: number | null;
  }[];
  /** Removed import dates, the oldest first. */
  import_dates: { import_date: string; rows: number; bytes: number }[];
  /** Removed staging tables. */
  staging_tables: { database: "postgres" | "clickhouse"; name: string; bytes: number }[];
  /** Runs that are old, but were kept. */
  kept: KeptRun[];
  /** All sizes together. */
  bytes: number;
}

interface Databases {
  postgres: Postgres;
  clickhouse: ClickHouse;
}

/** Joins what the store and PostgreSQL know of the runs. */
function joinRuns(stored: readonly KnownRun[], loaded: ReadonlyMap<string, LoadedRun>): KnownRun[] {
  const latest = (left?: number, right?: number) =>
    left === undefined || right === undefined ? left ?? right : Math.max(left, right);
  const names = new Set(stored.map(({ runId }) => runId));
  return [
    ...stored.map((run) => ({ ...run, lastUsedMs: latest(run.lastUsedMs, loaded.get(run.runId)?.loadedMs) })),
    ...[...loaded.values()].filter(({ runId }) => !names.has(runId))
      .map(({ runId, loadedMs }) => ({ runId, lastUsedMs: loadedMs, verifiedMs: undefined })),
  ];
}

async function findHeldRuns({ postgresUrl, signal }: PruneContext): Promise<Map<string, string>> {
  const { loaded, aggregated } = await readTableRuns({ postgresUrl, signal });
  const held = new Map<string, string>();
  if (aggregated !== null) held.set(aggregated, "shop.sales_aggregates holds its rows");
  if (loaded !== null) held.set(loaded, "shop.sales holds its rows");
  return held;
}

/** Removes a run; returns why it must be kept, if it must. */
async function removeRun(
  { store }: PruneContext,
  { postgres }: Databases,
  run: KnownRun,
  isStored: boolean,
): Promise<string | undefined> {
  if (!isStored) {
    await removeLoadedRun(postgres, run.runId);
    return undefined;
  }
  const lock = await tryLockRun(store, run.runId);
  if (!lock) return "another command is working on it";
  try {
    const { lastUsedMs = 0 } = await readStoredRun(store, run.runId);
    if (lastUsedMs > run.lastUsedMs!) return "another command has worked on it meanwhile";
    await removeStoredRun(store, run.runId, lock);
    await removeLoadedRun(postgres, run.runId);
    return undefined;
  } finally {
    await lock.release();
  }
}

async function pruneRuns(
  context: PruneContext,
  databases: Databases,
  held: ReadonlyMap<string, string>,
  { rule, dryRun, nowMs = Date.now() }: PruneOptions,
): Promise<Pick<PruneResult, "runs" | "kept">> {
  const { store, signal } = context;
  const stored = await readStoredRuns(store);
  const loaded = new Map((await readLoadedRuns(databases.postgres)).map((run) => [run.runId, run]));
  const { remove, kept } = selectRuns(joinRuns(stored, loaded), held, rule, nowMs);
  const runs: PruneResult["runs"] = [];
  for (const run of remove) {
    signal.throwIfAborted();
    const { runId, lastUsedMs } = run;
    const isStored = stored.some((each) => each.runId === runId);
    const inPostgres = loaded.get(runId);
    const removed = {
      run_id: runId,
      last_used: new Date(lastUsedMs!).toISOString(),
      folder_bytes: isStored ? await store.folderSize(`runs/${runId}`) : null,
      rejected_rows: inPostgres?.rejectedRows ?? null,
      rejected_bytes: inPostgres?.rejectedBytes ?? null,
    };
    const reason = dryRun ? undefined : await removeRun(context, databases, run, isStored);
    if (reason === undefined) runs.push(removed);
    else kept.push({ run_id: runId, reason });
  }
  return { runs, kept };
}

async function pruneImportDates(
  { signal }: PruneContext,
  { clickhouse }: Databases,
  held: ReadonlyMap<string, string>,
  { rule, dryRun, nowMs = Date.now() }: PruneOptions,
): Promise<PruneResult["import_dates"]> {
  const old = selectDates(await readImportDates(clickhouse), held, rule, nowMs);
  for (const { importDate } of dryRun ? [] : old) {
    signal.throwIfAborted();
    await transferStaging.dropPartition(clickhouse, importDate);
  }
  return old.map(({ importDate, rows, bytes }) => ({ import_date: importDate, rows, bytes }));
}

/** The locks tell staging tables that were left from those of a stage at work. */
async function pruneStagingTables(
  { postgres, clickhouse }: Databases,
  { dryRun }: PruneOptions,
): Promise<PruneResult["staging_tables"]> {
  await acquireAdvisoryLock(postgres, LOAD_LOCK, "session");
  await acquireAdvisoryLock(postgres, TRANSFER_LOCK, "session");
  const { schema } = await postgres.one("SELECT (to_regnamespace('shop') IS NOT NULL)::text AS schema");
  const prefix = await transferStaging.stagingPrefix(postgres);
  const inPostgres = schema === "true" ? await findStaleStagingTables(postgres) : [];
  const inClickHouse = await transferStaging.findStaleStagingTables(clickhouse, prefix);
  if (!dryRun) {
    if (inPostgres.length > 0) await dropStaleStagingTables(postgres);
    await transferStaging.dropStaleStagingTables(clickhouse, prefix);
  }
  return [
    ...inPostgres.map((table) => ({ database: "postgres" as const, ...table })),
    ...inClickHouse.map((table) => ({ database: "clickhouse" as const, ...table })),
  ];
}

function sumBytes({ runs, import_dates, staging_tables }: Omit<PruneResult, "bytes" | "dry_run" | "kept">) {
  return [
    ...runs.flatMap(({ folder_bytes, rejected_bytes }) => [folder_bytes ?? 0, rejected_bytes ?? 0]),
    ...[...import_dates, ...staging_tables].map(({ bytes }) => bytes),
  ].reduce((sum, bytes) => sum + bytes, 0);
}

/**
 * Prunes. Kept in any case are the runs whose rows the tables hold, the last verified run, runs on which a command is
 * working, and the newest import date.
 *
 * @throws {SalesflowError} exit code 75 when a run does not release the tables in time, or a database or the store fails
 */
export async function prune(context: PruneContext, options: PruneOptions): Promise<PruneResult> {
  const { postgresUrl, clickhouseUrl, signal } = context;
  const common = { stage: "prune", signal };
  return await withTablesLock(
    context,
    "prune",
    () =>
      withClickHouse(
        { ...common, url: clickhouseUrl },
        (clickhouse) =>
          withPostgres({ ...common, url: postgresUrl }, async (postgres) => {
            const databases = { postgres, clickhouse };
            const held = await findHeldRuns(context);
            const staging_tables = await pruneStagingTables(databases, options);
            const import_dates = options.importDates
              ? await pruneImportDates(context, databases, held, options)
              : [];
            const { runs, kept } = await pruneRuns(context, databases, held, options);
            const removed = { runs, import_dates, staging_tables };
            return { dry_run: options.dryRun, ...removed, kept, bytes: sumBytes(removed) };
          }),
      ),
  );
}
