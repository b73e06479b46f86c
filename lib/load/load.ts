/** load: replaces shop.sales with the clean rows of a run, and stores its rejected rows and its catalogue. */
import { type DatabaseLimits, DEFAULT_LIMITS, statementTimeoutForRows } from "../connection/limits.ts";
import { escapePlaceholders, logger } from "../console/log.ts";
import type { StageContext, StageResult } from "../pipeline/stage.ts";
import { acquireAdvisoryLock } from "../postgres/advisory_lock.ts";
import { type Postgres, withPostgres } from "../postgres/session.ts";
import { withTablesLock } from "../postgres/tables_lock.ts";
import { publish } from "./publish.ts";
import { openSource } from "./source.ts";
import { findSuspicions } from "./suspicions.ts";
import { dropStaleStagingTables, fillStagingTable, LOAD_LOCK } from "./staging.ts";

/** Longest wait for readers of shop.sales to finish. */
const PUBLISH_TIMEOUT_MS = 300_000;

/** Options of {@linkcode load}. */
export interface LoadOptions {
  /** Timeouts and retries. @default {DEFAULT_LIMITS} */
  limits?: DatabaseLimits;
  /** Longest wait for readers of shop.sales to finish. @default {300_000} */
  publishTimeoutMs?: number;
  /** Whether to hold the lock on all tables meanwhile; a command that already holds it must not. @default {false} */
  lockTables?: boolean;
}

async function dropAfterFailure(db: Postgres, table: string): Promise<void> {
  // If this fails, the next load drops the table.
  if (!db.signal.aborted) await db.query(`DROP TABLE IF EXISTS ${table}`).catch(() => {});
}

/**
 * Loads a run into PostgreSQL. Readers see either the previous run or this one, never a mix, and do not wait for the
 * copy. May be interrupted at any moment and run again.
 *
 * @throws {SalesflowError} when the datasets do not belong together, or PostgreSQL fails
 */
export async function load(context: StageContext, options: LoadOptions = {}): Promise<StageResult> {
  const { limits = DEFAULT_LIMITS, publishTimeoutMs = PUBLISH_TIMEOUT_MS, lockTables = false } = options;
  const { postgresUrl: url, signal } = context;
  const source = await openSource(context);
  const { clean, rejected } = source;
  const fillTables = () =>
    withPostgres({ url, stage: "load", signal, limits }, async (db) => {
      await acquireAdvisoryLock(db, LOAD_LOCK, "session");
      await dropStaleStagingTables(db);
      const table = await fillStagingTable(db, source, (rows, total) => context.progress(rows, total));
      await db.setStatementTimeout(statementTimeoutForRows(limits, rejected.rows));
      let products: number | null;
      try {
        products = await publish(db, source, table, publishTimeoutMs);
      } catch (error) {
        await dropAfterFailure(db, table);
        throw error;
      }
      await db.setStatementTimeout(statementTimeoutForRows(limits, clean.rows));
      return { products, warnings: await findSuspicions(db, source) };
    });
  const { products, warnings } =
    await (lockTables ? withTablesLock(context, "load", fillTables) : fillTables());
  context.progress(clean.rows, clean.rows);
  for (const warning of warnings) logger("load").warn(escapePlaceholders(warning));
  return {
    rowsIn: clean.rows,
    rowsOut: clean.rows,
    facts: {
      parts: clean.parts.length,
      rejected: rejected.rows,
      products,
      fingerprint: clean.fingerprint,
      ...(warnings.length > 0 ? { warnings } : {}),
    },
  };
}
