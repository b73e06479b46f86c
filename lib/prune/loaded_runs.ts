/** Records and rejected rows of runs in PostgreSQL. */
import type { Postgres } from "../postgres/session.ts";
import loadedRuns from "./loaded_runs.sql" with { type: "text" };

/** What PostgreSQL keeps of a run besides the tables' content. */
export interface LoadedRun {
  /** Its name. */
  runId: string;
  /** When it was loaded, in milliseconds since 1970; undefined when only rejected rows are left of it. */
  loadedMs: number | undefined;
  /** Number of its rejected rows. */
  rejectedRows: number;
  /** Their size without indexes, in bytes. */
  rejectedBytes: number;
}

/** Reads what PostgreSQL keeps of all runs; nothing before the first migrate. */
export async function readLoadedRuns(db: Postgres): Promise<LoadedRun[]> {
  const { migrated } = await db.one(
    "SELECT to_regclass('shop.pipeline_runs') IS NOT NULL AND to_regclass('shop.rejected_sales') IS NOT NULL AS migrated",
  );
  if (migrated !== "t") return [];
  return (await db.query(loadedRuns)).map(({ run_id, loaded_ms, rejected_rows, rejected_bytes }) => ({
    runId: run_id!,
    loadedMs: loaded_ms === null ? undefined : Number(loaded_ms),
    rejectedRows: Number(rejected_rows),
    rejectedBytes: Number(rejected_bytes),
  }));
}

/** Removes the record and the rejected rows of a run, in one transaction. */
export async function removeLoadedRun(db: Postgres, runId: string): Promise<void> {
  await db.transaction(async () => {
    await db.query("DELETE FROM shop.rejected_sales WHERE run_id = $1", [runId]);
    await db.query("DELETE FROM shop.pipeline_runs WHERE run_id = $1", [runId]);
  });
}
