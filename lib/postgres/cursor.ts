/** Reads a large result in batches. */
import type { Postgres, TextRow } from "./session.ts";

/** Rows held in memory at a time. */
const BATCH_ROWS = 5_000;

/**
 * Yields the rows of a query in batches, through a cursor. Needs an open transaction, and allows one reader at a time.
 *
 * COPY TO is no alternative: under Deno the stream of pg-copy-streams hangs when its reader is slower than the server.
 */
export async function* readRows<Row extends TextRow = TextRow>(
  db: Postgres,
  query: string,
  values: readonly unknown[] = [],
): AsyncGenerator<Row[]> {
  await db.query(`DECLARE salesflow_rows NO SCROLL CURSOR FOR ${query}`, values);
  try {
    for (;;) {
      const rows = await db.query<Row>(`FETCH ${BATCH_ROWS} FROM salesflow_rows`);
      if (rows.length > 0) yield rows;
      if (rows.length < BATCH_ROWS) break;
    }
  } finally {
    await db.query("CLOSE salesflow_rows").catch(() => {});
  }
}
