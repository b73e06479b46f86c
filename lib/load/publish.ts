/** Publishes a run: swaps the only partition of shop.sales and replaces the other rows of the run, in one transaction. */
import { setTimeout as delay } from "node:timers/promises";
import { SalesflowError } from "../console/errors.ts";
import { copyIn } from "../postgres/copy.ts";
import { PostgresFailure } from "../postgres/errors.ts";
import { quoteIdentifier } from "../postgres/quote.ts";
import type { Postgres } from "../postgres/session.ts";
import { type LoadSource, readPart, readProducts } from "./source.ts";
import { checkRowCount } from "./staging.ts";
import upsertRun from "./upsert_run.sql" with { type: "text" };

/**
 * Timeouts of the attempts to get the exclusive lock, in milliseconds. New readers queue behind a waiting attempt, so it
 * starts short; overlapping readers leave no gap and need longer attempts.
 */
const LOCK_TIMEOUT_MS = { first: 50, max: 400 };
/** The pause between two attempts, as a multiple of the attempt's timeout. Readers are not blocked during it. */
const PAUSE_FACTOR = 3;

/** Replaces the catalogue; readers see the old rows until the commit. */
async function replaceProducts(db: Postgres, source: LoadSource): Promise<number | null> {
  const columns = source.productColumns;
  if (!columns) return null;
  await db.query("DELETE FROM shop.products");
  return await copyIn(
    db,
    `COPY shop.products (${columns.join(", ")}) FROM STDIN (FORMAT csv, HEADER true)`,
    readProducts(source),
  );
}

async function replaceRejected(db: Postgres, source: LoadSource): Promise<void> {
  const { runId, rejected } = source;
  await db.query("SELECT set_config('salesflow.run_id', $1, true)", [runId]);
  await db.query("DELETE FROM shop.rejected_sales WHERE run_id = $1", [runId]);
  for (const part of rejected.parts) {
    const rows = await copyIn(
      db,
      "COPY shop.rejected_sales (file, line, reason, raw) FROM STDIN (FORMAT csv, HEADER true)",
      readPart(source, "rejected", part),
    );
    checkRowCount(rows, part.rows, `rejected/${part.name}`, runId);
  }
}

async function recordRun(db: Postgres, { runId, source, clean, facts }: LoadSource): Promise<void> {
  const { rows_in, rows_out, duplicates, rejected, rejected_by_reason } = facts;
  const reasons = JSON.stringify(rejected_by_reason);
  await db.query(upsertRun, [
    runId,
    clean.as_of,
    source,
    clean.engine,
    rows_in,
    rows_out,
    duplicates,
    rejected,
    reasons,
  ]);
}

/**
 * Locks shop.sales exclusively until the commit, in short attempts: every later reader queues behind a waiting exclusive
 * lock, so an attempt must not wait for a long query to end.
 */
async function lockSales(db: Postgres, timeoutMs: number): Promise<void> {
  // A monotonic clock: the time of day may be set back.
  const deadline = performance.now() + timeoutMs;
  // A single savepoint: rolling back to it keeps it, while further ones would nest.
  await db.query("SAVEPOINT before_lock");
  for (
    let attemptMs = LOCK_TIMEOUT_MS.first;;
    attemptMs = Math.min(LOCK_TIMEOUT_MS.max, attemptMs * 1.5)
  ) {
    try {
      await db.query(`SET LOCAL lock_timeout = ${Math.round(attemptMs)}`);
      await db.query("LOCK TABLE shop.sales IN ACCESS EXCLUSIVE MODE");
      await db.query("SET LOCAL lock_timeout = 0");
      await db.query("RELEASE SAVEPOINT before_lock");
      return;
    } catch (error) {
      if (!(error instanceof PostgresFailure && error.code === "55P03")) throw error;
      await db.query("ROLLBACK TO SAVEPOINT before_lock");
      if (performance.now() < deadline) {
        await delay(attemptMs * PAUSE_FACTOR * (0.5 + Math.random()), undefined, { signal: db.signal });
        continue;
      }
      const readers = await db.query(
        "SELECT DISTINCT a.pid::text, a.application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.relation = 'shop.sales'::regclass AND l.granted AND a.pid <> pg_backend_pid()",
      );
      const names = readers.map(({ pid, application_name }) =>
        `${application_name || "a session"} (pid ${pid})`
      ).join(", ");
      throw new SalesflowError(
        `shop.sales was in use for ${timeoutMs / 1000} s by ${names || "other sessions"}`,
        {
          exitCode: 75,
          stage: "load",
          remedy:
            "Run load again when they have finished; long transactions that read shop.sales block its replacement.",
          cause: error,
        },
      );
    }
  }
}

/** Attaches the table as the only partition of shop.sales, and drops the old one. */
async function swapPartition(db: Postgres, table: string): Promise<void> {
  const old = await db.query(
    "SELECT c.relname AS name, n.nspname AS schema FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE i.inhparent = 'shop.sales'::regclass",
  );
  const names = old.map(({ schema, name }) => quoteIdentifier(schema!, name!));
  for (const name of names) await db.query(`ALTER TABLE shop.sales DETACH PARTITION ${name}`);
  // The bounds cover every non-null sale_id, and the column is NOT NULL, so ATTACH does not scan the table.
  await db.query(`ALTER TABLE shop.sales ATTACH PARTITION ${table} FOR VALUES FROM (MINVALUE) TO (MAXVALUE)`);
  for (const name of names) await db.query(`DROP TABLE ${name}`);
}

/**
 * Publishes the whole run in one transaction; shop.sales is locked only for its last few milliseconds.
 *
 * @param timeoutMs longest wait for readers of shop.sales to finish
 * @returns the rows of the catalogue, null when the run has none
 * @throws {SalesflowError} exit code 75 when readers do not finish in time
 */
export function publish(
  db: Postgres,
  source: LoadSource,
  table: string,
  timeoutMs: number,
): Promise<number | null> {
  return db.transaction(async () => {
    const products = await replaceProducts(db, source);
    await replaceRejected(db, source);
    await recordRun(db, source);
    await lockSales(db, timeoutMs);
    await swapPartition(db, table);
    return products;
  });
}
