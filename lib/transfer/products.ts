/** Copies the product catalogue from PostgreSQL to ClickHouse. */
import { quoteIdentifier } from "../clickhouse/quote.ts";
import type { ClickHouse } from "../clickhouse/session.ts";
import { SalesflowError } from "../console/errors.ts";
import { PRODUCT_COLUMNS, readProductColumns } from "../dataset/products.ts";
import type { StageContext } from "../pipeline/stage.ts";
import { readRows } from "../postgres/cursor.ts";
import type { Postgres } from "../postgres/session.ts";
import { clearProducts, createStagingTable, dropStagingTable, replaceProducts } from "./staging.ts";

async function* readCatalogue(from: Postgres): AsyncGenerator<(string | null)[]> {
  const query = `SELECT ${PRODUCT_COLUMNS.join(", ")} FROM shop.products ORDER BY product_id`;
  for await (const rows of readRows(from, query)) {
    for (const row of rows) yield PRODUCT_COLUMNS.map((column) => row[column]!);
  }
}

/**
 * Replaces ClickHouse's shop.products with PostgreSQL's, if the run has a catalogue; else the old rows stay, as in PostgreSQL.
 *
 * @throws {SalesflowError} when rows are lost on the way
 */
export async function copyProducts(
  from: Postgres,
  to: ClickHouse,
  prefix: string,
  { store, runId, signal }: StageContext,
): Promise<void> {
  if (!await readProductColumns(store, runId)) return;
  const { count } = await from.one("SELECT count(*)::text AS count FROM shop.products");
  if (count === "0") return await clearProducts(to);
  const staging = await createStagingTable(to, prefix, runId, "products");
  const table = quoteIdentifier("shop", staging);
  try {
    await to.insert(table, PRODUCT_COLUMNS, readCatalogue(from));
    const [found] = await to.rows(`SELECT toString(count()) FROM ${table}`);
    if (found![0] !== count) {
      throw new SalesflowError(
        `shop.products has ${count} rows in PostgreSQL, ${found![0]} came to ClickHouse`,
        {
          stage: "transfer",
          runId,
          remedy: "Nothing was published. Run transfer again.",
        },
      );
    }
    await replaceProducts(to, staging);
  } finally {
    // If this fails, the next transfer drops the table.
    if (!signal.aborted) await dropStagingTable(to, staging).catch(() => {});
  }
}
