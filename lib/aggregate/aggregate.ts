/** aggregate: groups shop.sales at four levels into shop.sales_aggregates, in one SQL statement. */
import { type DatabaseLimits, DEFAULT_LIMITS, statementTimeoutForRows } from "../connection/limits.ts";
import type { StageContext, StageResult } from "../pipeline/stage.ts";
import { lockLoadedRun } from "../postgres/loaded_run.ts";
import { acquireAdvisoryLock } from "../postgres/advisory_lock.ts";
import { withPostgres } from "../postgres/session.ts";
import aggregateSql from "./aggregate.sql" with { type: "text" };

/** Name of the lock on shop.sales_aggregates, shared with the Spark engine. */
const LOCK = "salesflow:sales_aggregates";

/** Fewest rows for which PostgreSQL's JIT compiler pays off. */
const MIN_JIT_ROWS = 50_000_000;

/** Options of {@linkcode aggregate}. */
export interface AggregateOptions {
  /** Timeouts and retries. @default {DEFAULT_LIMITS} */
  limits?: DatabaseLimits;
}

/**
 * Replaces the aggregates in one transaction. Readers see the old ones until it commits, and never wait.
 *
 * @throws {SalesflowError} when shop.sales holds another run, or PostgreSQL fails
 */
export async function aggregate(context: StageContext, options: AggregateOptions = {}): Promise<StageResult> {
  const { limits = DEFAULT_LIMITS } = options;
  const { postgresUrl: url, signal, runId } = context;
  return await withPostgres({ url, stage: "aggregate", signal, limits }, (db) =>
    db.transaction(async () => {
      await acquireAdvisoryLock(db, LOCK, "transaction");
      await lockLoadedRun(db, runId, "aggregate");
      const { rows } = await db.one(
        "SELECT clean_rows AS rows FROM shop.pipeline_runs WHERE run_id = $1",
        [runId],
      );
      const rowsIn = Number(rows);
      await db.setStatementTimeout(statementTimeoutForRows(limits, rowsIn));
      // Below tens of millions of rows, compiling expressions takes longer than it saves.
      if (rowsIn < MIN_JIT_ROWS) await db.query("SET LOCAL jit = off");
      await db.query("DELETE FROM shop.sales_aggregates");
      await db.query(aggregateSql, [runId]);
      const levels = await db.query(
        "SELECT level, count(*) AS rows FROM shop.sales_aggregates GROUP BY level ORDER BY level",
      );
      const counts = Object.fromEntries(levels.map(({ level, rows }) => [level!, Number(rows)]));
      const rowsOut = Object.values(counts).reduce((sum, count) => sum + count, 0);
      return { rowsIn, rowsOut, facts: { levels: counts } };
    }));
}
