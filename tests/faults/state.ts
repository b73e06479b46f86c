/** The state that a run leaves: its files, records and tables, and the shape of both databases, as one checksum each. */
import { createHash } from "node:crypto";
import { type ClickHouse, withClickHouse } from "../../lib/clickhouse/session.ts";
import { startEmbedded } from "../../lib/embedded/embedded.ts";
import { type Postgres, withPostgres } from "../../lib/postgres/session.ts";
import everything from "./everything.sql" with { type: "text" };

/** Checksums by name: datasets, tables, records. */
export type State = Record<string, string>;

/** Folders of a run that are datasets. */
export const DATASETS = ["raw", "clean", "rejected"];
/** What databases bring along. */
const CLICKHOUSE_OWN = ["system", "information_schema", "INFORMATION_SCHEMA"];
/** The part of a partition's name that is new with every load. */
const PARTITION_SUFFIX = /\bsales_part_[0-9a-f]{12}/g;
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

function checksum(text: string | Uint8Array): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

/** Checksum over the names and bytes of the files in a folder. */
export function folderChecksum(folder: string): string {
  const hash = createHash("sha256");
  for (const name of [...Deno.readDirSync(folder)].map((entry) => entry.name).sort()) {
    hash.update(`${name}\n`).update(Deno.readFileSync(`${folder}/${name}`));
  }
  return hash.digest("hex").slice(0, 16);
}

/** Checksum of what a query answers, in any order. */
async function answers(db: Postgres, query: string): Promise<string> {
  const lines = (await db.query(query)).map((row) =>
    JSON.stringify(row).replace(PARTITION_SUFFIX, "sales_part")
  );
  return checksum(lines.sort().join("\n"));
}

/** Databases, tables with their columns: all that ClickHouse does not bring along. */
async function everythingInClickHouse(db: ClickHouse): Promise<unknown> {
  const others = `NOT IN (${CLICKHOUSE_OWN.map((name) => `'${name}'`).join(", ")})`;
  return [
    await db.rows(`SELECT name FROM system.databases WHERE name ${others} ORDER BY name`),
    await db.rows(
      `SELECT database, name, engine, partition_key, sorting_key FROM system.tables WHERE database ${others} ORDER BY ALL`,
    ),
    await db.rows(
      `SELECT database, table, position, name, type FROM system.columns WHERE database ${others} ORDER BY ALL`,
    ),
  ];
}

/** Checksums of a run's datasets, of all tables, and of what there is in both databases; starts the embedded databases of the home. @param importDate leaves other imports in ClickHouse out */
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
      state["PostgreSQL's migrations"] = await answers(
        db,
        "SELECT version, name, checksum FROM shop.schema_migrations",
      );
      state["what is in PostgreSQL"] = await answers(db, everything);
    });
    await withClickHouse({ url: databases.clickhouseUrl, stage: "test", signal }, async (db) => {
      const rows = await db.rows(
        "SELECT * EXCEPT imported_at FROM shop.sales_aggregates WHERE {date:String} IN ('', toString(import_date)) ORDER BY ALL",
        { date: importDate ?? "" },
      );
      if (importDate !== undefined && rows.length === 0) {
        throw new Error(`nothing was imported as of ${importDate}`);
      }
      state["clickhouse shop.sales_aggregates"] = checksum(JSON.stringify(rows));
      state["ClickHouse's migrations"] = checksum(JSON.stringify(
        await db.rows("SELECT DISTINCT version, name, checksum FROM shop.schema_migrations ORDER BY ALL"),
      ));
      state["what is in ClickHouse"] = checksum(JSON.stringify(await everythingInClickHouse(db)));
    });
  } finally {
    await databases.close();
  }
  return state;
}

/** A stage's record without what belongs to an attempt: its times, its number, which migrations were missing. */
function timelessRecord(text: string): string {
  const { started_at: _started, finished_at: _finished, seconds: _seconds, attempt: _attempt, ...record } =
    JSON.parse(text);
  if (record.stage === "report") delete record.facts.bytes; // the report tells times
  for (const database of ["postgres", "clickhouse"]) {
    if (record.stage === "migrate") delete record.facts[database].applied;
  }
  return JSON.stringify(record);
}

/** The report without the times in its table of stages. */
export function timelessReport(page: string): string {
  const from = page.indexOf("<h3>Stages</h3>");
  const to = page.indexOf("</figure>", from);
  if (from < 0 || to < 0) throw new Error("the report has no table of stages");
  const rows = page.slice(from, to).split("<tr>").slice(1).map((row) =>
    row.split(/<t[hd]/).slice(1, 4).join("").replaceAll(/\s+/g, " ") // stage, rows in, rows out
  );
  return page.slice(0, from) + rows.join("\n") + page.slice(to);
}

/** Checksums of what a run keeps beside its datasets: run.json to the byte, its stages' records and its report without their times. */
export function recordsOf(home: string, runId: string): State {
  const run = `${home}/runs/${runId}`;
  const state: State = { "run.json": checksum(Deno.readFileSync(`${run}/run.json`)) };
  for (const { name } of Deno.readDirSync(`${run}/stages`)) {
    state[`stages/${name}`] = checksum(timelessRecord(Deno.readTextFileSync(`${run}/stages/${name}`)));
  }
  state["report/report.html"] = checksum(timelessReport(Deno.readTextFileSync(`${run}/report/report.html`)));
  return state;
}

/** {@linkcode stateOf} and {@linkcode recordsOf} together: all that a whole run leaves. */
export async function wholeStateOf(home: string, runId: string): Promise<State> {
  return { ...await stateOf(home, runId), ...recordsOf(home, runId) };
}

/** What differs between two states, in words. */
export function differences(found: State, expected: State): string[] {
  return Object.keys(expected).filter((name) => found[name] !== expected[name]).map((name) =>
    `${name} differs`
  );
}
