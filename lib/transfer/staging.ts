/** Staging tables in ClickHouse, and the swap of their rows into shop.sales_aggregates. */
import { quoteIdentifier } from "../clickhouse/quote.ts";
import type { ClickHouse } from "../clickhouse/session.ts";
import type { IsoDate } from "../domain/dates.ts";
import { logger } from "../console/log.ts";
import type { Postgres } from "../postgres/session.ts";

const PREFIX = "sales_aggregates_staging_";

/**
 * Returns the name prefix of staging tables of transfers from this PostgreSQL database. Another database may feed the same
 * ClickHouse; its staging tables are not guarded by this database's lock, so they must not be dropped.
 */
export async function stagingPrefix(from: Postgres): Promise<string> {
  const { source } = await from.one(
    "SELECT system_identifier || '_' || oid AS source FROM pg_control_system(), pg_database WHERE datname = current_database()",
  );
  return `${PREFIX}${source}_`;
}

/** Returns the staging tables of interrupted transfers, with their sizes. The caller must hold the lock of transfer. */
export async function findStaleStagingTables(
  db: ClickHouse,
  prefix: string,
): Promise<{ name: string; bytes: number }[]> {
  const found = await db.rows(
    "SELECT name, ifNull(total_bytes, 0) FROM system.tables WHERE database = 'shop' AND startsWith(name, {prefix:String})",
    { prefix },
  );
  return found.map(([name, bytes]) => ({ name: name!, bytes: Number(bytes) }));
}

/** Drops the staging tables of interrupted transfers. The caller must hold the lock of transfer. */
export async function dropStaleStagingTables(db: ClickHouse, prefix: string): Promise<void> {
  for (const { name } of await findStaleStagingTables(db, prefix)) {
    await dropStagingTable(db, name);
    logger("transfer").info(`Removed ${name}, left behind by an interrupted transfer`);
  }
}

/** Tables that transfer fills. */
export type TransferredTable = "sales_aggregates" | "products";

/** Creates an empty table with the columns of another; its name has the run and is unique per attempt. */
export async function createStagingTable(
  db: ClickHouse,
  prefix: string,
  runId: string,
  like: TransferredTable,
): Promise<string> {
  const name = `${prefix}${runId}_${crypto.randomUUID().slice(0, 8)}`;
  await db.command(`CREATE TABLE ${quoteIdentifier("shop", name)} AS shop.${like}`);
  return name;
}

/** Replaces all rows of shop.products with the staged ones, of which there is at least one, atomically for readers. */
export async function replaceProducts(db: ClickHouse, name: string): Promise<void> {
  await db.command(
    `ALTER TABLE shop.products REPLACE PARTITION tuple() FROM ${quoteIdentifier("shop", name)}`,
  );
}

/** Removes all rows of shop.products, atomically for readers. ClickHouse cannot replace a partition from an empty table. */
export async function clearProducts(db: ClickHouse): Promise<void> {
  await db.command("ALTER TABLE shop.products DROP PARTITION tuple()");
}

/** Drops a staging table at once, without ClickHouse's usual delay. */
export async function dropStagingTable(db: ClickHouse, name: string): Promise<void> {
  await db.command(`DROP TABLE IF EXISTS ${quoteIdentifier("shop", name)} SYNC`);
}

/** Replaces the partition of a date with the staged rows, atomically for readers. */
export async function replacePartition(db: ClickHouse, name: string, importDate: IsoDate): Promise<void> {
  await db.command(
    `ALTER TABLE shop.sales_aggregates REPLACE PARTITION tuple({import_date:Date}) FROM ${
      quoteIdentifier("shop", name)
    }`,
    { import_date: importDate },
  );
}

/** Drops the partition of a date, atomically for readers. ClickHouse cannot replace a partition from an empty table. */
export async function dropPartition(db: ClickHouse, importDate: IsoDate): Promise<void> {
  await db.command("ALTER TABLE shop.sales_aggregates DROP PARTITION tuple({import_date:Date})", {
    import_date: importDate,
  });
}
