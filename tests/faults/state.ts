/** The state that a run leaves: its files and tables as one checksum each, and whatever should not be there. */
import { createHash } from "node:crypto";
import { withClickHouse } from "../../lib/clickhouse/session.ts";
import { startEmbedded } from "../../lib/embedded/embedded.ts";
import { withPostgres } from "../../lib/postgres/session.ts";
import { processesOf, until } from "./command.ts";

/** Checksums by name: datasets and tables. */
export type State = Record<string, string>;

const DATASETS = ["raw", "clean", "rejected"];
/** Tables of PostgreSQL and their columns; those that say when, not what, are left out. */
export const POSTGRES_TABLES: Record<string, string> = {
  "shop.sales": "sale_id, customer_id, product_id, quantity, sale_date, sale_amount, region",
  "shop.products": "product_id, name, category, price_from, price_to",
  "shop.rejected_sales": "run_id, file, line, reason, raw",
  "shop.pipeline_runs":
    "run_id, as_of, source, clean_engine, raw_rows, clean_rows, duplicate_rows, rejected_rows, rejected_by_reason",
  "shop.sales_aggregates":
    "level, region, product_id, total_sales, total_quantity, total_amount, average_sale_amount, amount_share, " +
    "amount_rank, cumulative_share, run_id",
};

/** Checksum over the names and bytes of the files in a folder. */
export function folderChecksum(folder: string): string {
  const hash = createHash("sha256");
  for (const name of [...Deno.readDirSync(folder)].map((entry) => entry.name).sort()) {
    hash.update(`${name}\n`).update(Deno.readFileSync(`${folder}/${name}`));
  }
  return hash.digest("hex").slice(0, 16);
}

/** Checksums of a run's datasets and of all tables; starts the embedded databases of the home. @param importDate leaves other imports in ClickHouse out */
export async function stateOf(home: string, runId: string, importDate?: string): Promise<State> {
  const state: State = {};
  for (const name of DATASETS) state[name] = folderChecksum(`${home}/runs/${runId}/${name}`);
  const databases = await startEmbedded(home);
  const { signal } = new AbortController();
  try {
    await withPostgres({ url: databases.postgresUrl, stage: "test", signal }, async (db) => {
      for (const [table, columns] of Object.entries(POSTGRES_TABLES)) {
        const { checksum } = await db.one(
          `SELECT md5(string_agg(line, E'\\n' ORDER BY line COLLATE "C")) AS checksum FROM (SELECT ROW(${columns})::text AS line FROM ${table}) AS t`,
        );
        state[table] = String(checksum);
      }
    });
    await withClickHouse({ url: databases.clickhouseUrl, stage: "test", signal }, async (db) => {
      const rows = await db.rows(
        "SELECT * EXCEPT imported_at FROM shop.sales_aggregates WHERE {date:String} IN ('', toString(import_date)) ORDER BY ALL",
        { date: importDate ?? "" },
      );
      if (importDate !== undefined && rows.length === 0) {
        throw new Error(`nothing was imported as of ${importDate}`);
      }
      state["clickhouse shop.sales_aggregates"] = createHash("sha256").update(JSON.stringify(rows)).digest(
        "hex",
      ).slice(0, 16);
    });
  } finally {
    await databases.close();
  }
  return state;
}

/** What differs between two states, in words. */
export function differences(found: State, expected: State): string[] {
  return Object.keys(expected).filter((name) => found[name] !== expected[name]).map((name) =>
    `${name} differs`
  );
}

/** What a command must not leave beside its tables: processes, temporary files, datasets without manifest. */
export async function leftovers(home: string, runId: string): Promise<string[]> {
  const found: string[] = [];
  if (!await until(() => processesOf(home).size === 0, 10_000)) {
    found.push(...[...processesOf(home).values()].map((line) => `process ${line}`));
  }
  const run = `${home}/runs/${runId}`;
  for (const folder of [run, `${run}/stages`, `${run}/report`, ...DATASETS.map((name) => `${run}/${name}`)]) {
    for (const { name } of Deno.readDirSync(folder)) {
      if (name.endsWith(".tmp")) found.push(`file ${folder}/${name}`);
    }
  }
  for (const name of DATASETS) {
    const manifest = JSON.parse(Deno.readTextFileSync(`${run}/${name}/manifest.json`));
    const parts = manifest.parts.map((part: { name: string }) => part.name);
    const known = new Set([
      ...parts,
      "manifest.json",
      ...(name === "raw" ? ["defects.json", "products.csv"] : []),
    ]);
    for (const entry of Deno.readDirSync(`${run}/${name}`)) {
      if (!known.has(entry.name)) found.push(`file ${name}/${entry.name}`);
    }
  }
  return found;
}

/** Tables that only a command at work may have. */
export async function strayTables(home: string): Promise<string[]> {
  const found: string[] = [];
  const databases = await startEmbedded(home);
  const { signal } = new AbortController();
  try {
    await withPostgres({ url: databases.postgresUrl, stage: "test", signal }, async (db) => {
      const stray = await db.query(
        `SELECT c.relname AS name FROM pg_class AS c LEFT JOIN pg_inherits AS i ON i.inhrelid = c.oid
        WHERE c.relnamespace = 'shop'::regnamespace AND c.relkind IN ('r', 'p') AND i.inhrelid IS NULL
          AND c.relname NOT IN ('sales', 'products', 'rejected_sales', 'pipeline_runs', 'sales_aggregates', 'schema_migrations')`,
      );
      found.push(...stray.map(({ name }) => `PostgreSQL table ${name}`));
      const partitions = await db.query(
        "SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'shop.sales'::regclass",
      );
      if (partitions.length !== 1) found.push(`${partitions.length} partitions of shop.sales`);
    });
    await withClickHouse({ url: databases.clickhouseUrl, stage: "test", signal }, async (db) => {
      const stray = await db.rows(
        "SELECT name FROM system.tables WHERE database = 'shop' AND name NOT IN ('sales_aggregates', 'schema_migrations')",
      );
      found.push(...stray.map(([name]) => `ClickHouse table ${name}`));
    });
  } finally {
    await databases.close();
  }
  return found;
}
