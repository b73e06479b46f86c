/** The table in ClickHouse through which rows come in, and its way into shop.sales_aggregates. */
import { type ClickHouse, quoteClickHouseName } from "../clickhouse/session.ts";
import type { IsoDate } from "../domain/dates.ts";
import { logger } from "../console/log.ts";
import type { Postgres } from "../postgres/session.ts";

const PREFIX = "sales_aggregates_staging_";

/**
 * What the names of staging tables of transfers from one database begin with. The lock of transfer is that database's, so the tables
 * of another one, which may feed the same ClickHouse, are not ours to judge.
 */
export async function stagingPrefix(from: Postgres): Promise<string> {
  const { source } = await from.one(
    "SELECT system_identifier || '_' || oid AS source FROM pg_control_system(), pg_database WHERE datname = current_database()",
  );
  return `${PREFIX}${source}_`;
}

/** Removes the staging tables of transfers that died; the caller holds the lock of transfer. */
export async function dropStaleStaging(db: ClickHouse, prefix: string): Promise<void> {
  const found = await db.rows(
    "SELECT name FROM system.tables WHERE database = 'shop' AND startsWith(name, {prefix:String})",
    { prefix },
  );
  for (const [name] of found) {
    await dropStaging(db, name!);
    logger("transfer").info(`Removed ${name}, left by a transfer that was ended`);
  }
}

/** Makes an empty table of the same structure; its name tells the run, and no other try has it. */
export async function createStaging(db: ClickHouse, prefix: string, runId: string): Promise<string> {
  const name = `${prefix}${runId}_${crypto.randomUUID().slice(0, 8)}`;
  await db.command(`CREATE TABLE ${quoteClickHouseName("shop", name)} AS shop.sales_aggregates`);
  return name;
}

/** Removes a staging table, at once and not after ClickHouse's usual delay. */
export async function dropStaging(db: ClickHouse, name: string): Promise<void> {
  await db.command(`DROP TABLE IF EXISTS ${quoteClickHouseName("shop", name)} SYNC`);
}

/** Puts the staged rows of a date in the place of all rows of that date, in one step for readers. */
export async function replaceDate(db: ClickHouse, name: string, importDate: IsoDate): Promise<void> {
  await db.command(
    `ALTER TABLE shop.sales_aggregates REPLACE PARTITION tuple({import_date:Date}) FROM ${
      quoteClickHouseName("shop", name)
    }`,
    { import_date: importDate },
  );
}

/** Removes all rows of a date, in one step for readers. ClickHouse refuses to replace them by a table without rows. */
export async function dropDate(db: ClickHouse, importDate: IsoDate): Promise<void> {
  await db.command("ALTER TABLE shop.sales_aggregates DROP PARTITION tuple({import_date:Date})", {
    import_date: importDate,
  });
}
