/** load: the clean rows of a run become shop.sales, its rejected rows and its catalogue go beside it. */
import { type DatabaseLimits, DEFAULT_LIMITS, statementMsFor } from "../connection/limits.ts";
import type { StageContext, StageResult } from "../pipeline/stage.ts";
import { takeLock } from "../postgres/lock.ts";
import { type Postgres, withPostgres } from "../postgres/session.ts";
import { publish } from "./publish.ts";
import { openSource } from "./source.ts";
import { dropStaleTables, fillStaging } from "./staging.ts";

/** Longest wait for a moment in which nobody reads shop.sales. */
const PUBLISH_WAIT_MS = 300_000;

/** What {@linkcode load} may be told. */
export interface LoadOptions {
  /** @default {DEFAULT_LIMITS} */
  limits?: DatabaseLimits;
  /** Longest wait for a moment without readers, in milliseconds. @default {300_000} */
  publishWaitMs?: number;
}

async function dropQuietly(db: Postgres, table: string): Promise<void> {
  // What cannot be dropped now is dropped by the next load.
  if (!db.signal.aborted) await db.query(`DROP TABLE IF EXISTS ${table}`).catch(() => {});
}

/**
 * Loads a run into PostgreSQL. Readers see the rows of the run before or those of this one, never a mix, and do not wait
 * for the copying. May be ended at any moment and run again.
 *
 * @throws {SalesflowError} when the datasets do not fit together, or PostgreSQL fails
 */
export async function load(context: StageContext, options: LoadOptions = {}): Promise<StageResult> {
  const { limits = DEFAULT_LIMITS, publishWaitMs = PUBLISH_WAIT_MS } = options;
  const { postgresUrl: url, signal } = context;
  const source = await openSource(context);
  const { clean, rejected } = source;
  const products = await withPostgres({ url, stage: "load", signal, limits }, async (db) => {
    await takeLock(db, "salesflow:load", "session");
    await dropStaleTables(db);
    const table = await fillStaging(db, source, (rows, total) => context.progress(rows, total));
    await db.allow(statementMsFor(limits, rejected.rows));
    try {
      return await publish(db, source, table, publishWaitMs);
    } catch (error) {
      await dropQuietly(db, table);
      throw error;
    }
  });
  context.progress(clean.rows, clean.rows);
  return {
    rowsIn: clean.rows,
    rowsOut: clean.rows,
    facts: { parts: clean.parts.length, rejected: rejected.rows, products, fingerprint: clean.fingerprint },
  };
}
