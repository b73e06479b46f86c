/** Import dates in ClickHouse. */
import type { ClickHouse } from "../clickhouse/session.ts";

/** An import date of shop.sales_aggregates. */
export interface ImportDate {
  /** The date, as `YYYY-MM-DD`. */
  importDate: string;
  /** Runs whose rows it has. */
  runIds: string[];
  /** Number of rows. */
  rows: number;
  /** Size on disk, in bytes. */
  bytes: number;
}

/** Reads all import dates; none before the first migrate. */
export async function readImportDates(db: ClickHouse): Promise<ImportDate[]> {
  const [[tables = "0"] = []] = await db.rows(
    "SELECT count() FROM system.tables WHERE database = 'shop' AND name = 'sales_aggregates'",
  );
  if (Number(tables) === 0) return [];
  const sizes = new Map(
    (await db.rows(
      "SELECT partition, sum(bytes_on_disk) FROM system.parts WHERE active AND database = 'shop' AND table = 'sales_aggregates' GROUP BY partition",
    )).map(([partition, bytes]) => [partition!.replaceAll("'", ""), Number(bytes)]),
  );
  const dates = await db.rows(
    "SELECT import_date, toString(groupUniqArray(run_id)), count() FROM shop.sales_aggregates GROUP BY import_date ORDER BY import_date",
  );
  return dates.map(([importDate = "", runIds = "", rows]) => ({
    importDate,
    // Names of runs have no quotes.
    runIds: [...runIds.matchAll(/'([^']*)'/g)].map(([, runId]) => runId!),
    rows: Number(rows),
    bytes: sizes.get(importDate) ?? 0,
  }));
}
