/** Puts a filled table in the place of shop.sales' only partition, together with everything that belongs to the run. */
import { setTimeout as delay } from "node:timers/promises";
import { SalesflowError } from "../console/errors.ts";
import { copyIn } from "../postgres/copy.ts";
import { PostgresFailure } from "../postgres/errors.ts";
import { quoteName } from "../postgres/quote.ts";
import type { Postgres } from "../postgres/session.ts";
import { type LoadSource, partBytes, productsBytes } from "./source.ts";
import { checkCount } from "./staging.ts";
import upsertRun from "./upsert_run.sql" with { type: "text" };

/**
 * How long a try for the exclusive lock may make new readers wait behind it, in milliseconds: first, and at most.
 * Readers that overlap without a gap make longer tries necessary.
 */
const LOCK_MS = { first: 50, most: 400 };
/** Between two tries readers have this many times a try's length for themselves. */
const REST_FACTOR = 3;

/** Replaces the catalogue. Readers keep the old rows until the commit. */
async function replaceProducts(db: Postgres, source: LoadSource): Promise<number | null> {
  if (!source.hasProducts) return null;
  await db.query("DELETE FROM shop.products");
  return await copyIn(
    db,
    "COPY shop.products (product_id, name, category, price_from, price_to) FROM STDIN (FORMAT csv, HEADER true)",
    productsBytes(source),
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
      partBytes(source, "rejected", part),
    );
    checkCount(rows, part.rows, `rejected/${part.name}`, runId);
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
 * Takes shop.sales for ourselves until the commit, in short tries: a query that waits for an exclusive lock makes every
 * later reader wait behind it, so it must not wait for a long report to end.
 */
async function lockSales(db: Postgres, waitMs: number): Promise<void> {
  // Not the time of day, which may be set back.
  const deadline = performance.now() + waitMs;
  // One for all tries: going back to it keeps it, and every further one would be nested in those before.
  await db.query("SAVEPOINT before_lock");
  for (let tryMs = LOCK_MS.first;; tryMs = Math.min(LOCK_MS.most, tryMs * 1.5)) {
    try {
      await db.query(`SET LOCAL lock_timeout = ${Math.round(tryMs)}`);
      await db.query("LOCK TABLE shop.sales IN ACCESS EXCLUSIVE MODE");
      await db.query("SET LOCAL lock_timeout = 0");
      await db.query("RELEASE SAVEPOINT before_lock");
      return;
    } catch (error) {
      if (!(error instanceof PostgresFailure && error.code === "55P03")) throw error;
      await db.query("ROLLBACK TO SAVEPOINT before_lock");
      if (performance.now() < deadline) {
        await delay(tryMs * REST_FACTOR * (0.5 + Math.random()), undefined, { signal: db.signal });
        continue;
      }
      const readers = await db.query(
        "SELECT DISTINCT a.pid::text, a.application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.relation = 'shop.sales'::regclass AND l.granted AND a.pid <> pg_backend_pid()",
      );
      const names = readers.map(({ pid, application_name }) =>
        `${application_name || "a session"} (pid ${pid})`
      ).join(", ");
      throw new SalesflowError(
        `shop.sales was in use for ${waitMs / 1000} s by ${names || "other sessions"}`,
        {
          exitCode: 75,
          stage: "load",
          remedy:
            "Run load again when they are done; long transactions that read shop.sales keep it from being replaced.",
          cause: error,
        },
      );
    }
  }
}

async function swap(db: Postgres, table: string): Promise<void> {
  const old = await db.query(
    "SELECT c.relname AS name, n.nspname AS schema FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE i.inhparent = 'shop.sales'::regclass",
  );
  const names = old.map(({ schema, name }) => quoteName(schema!, name!));
  for (const name of names) await db.query(`ALTER TABLE shop.sales DETACH PARTITION ${name}`);
  // The bounds hold every sale_id that is not null, and none may be null: there is nothing to scan.
  await db.query(`ALTER TABLE shop.sales ATTACH PARTITION ${table} FOR VALUES FROM (MINVALUE) TO (MAXVALUE)`);
  for (const name of names) await db.query(`DROP TABLE ${name}`);
}

/**
 * Publishes everything of the run in one transaction; shop.sales is locked only for its last few milliseconds.
 *
 * @param waitMs longest wait for a moment without readers
 * @returns rows of the catalogue, null when the run has none
 * @throws {SalesflowError} exit code 75 when there was no such moment
 */
export function publish(
  db: Postgres,
  source: LoadSource,
  table: string,
  waitMs: number,
): Promise<number | null> {
  return db.transaction(async () => {
    const products = await replaceProducts(db, source);
    await replaceRejected(db, source);
    await recordRun(db, source);
    await lockSales(db, waitMs);
    await swap(db, table);
    return products;
  });
}
