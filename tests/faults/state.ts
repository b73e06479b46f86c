/** Checksums of everything that a run leaves: files, records, tables, and the schemas of both databases. */
import { createHash } from "node:crypto";
import { type ClickHouse, withClickHouse } from "../../lib/clickhouse/session.ts";
import { startEmbedded } from "../../lib/embedded/embedded.ts";
import { type Postgres, withPostgres } from "../../lib/postgres/session.ts";
import postgresSchema from "./postgres_schema.sql" with { type: "text" };

/** Checksums by name: datasets, tables, records. */
export type State = Record<string, string>;

/** Dataset folders of a run. */
export const DATASETS = ["raw", "clean", "rejected"];
/** Databases that every ClickHouse server has. */
const SYSTEM_DATABASES = ["system", "information_schema", "INFORMATION_SCHEMA"];
/** Partition names, which are different for each load. */
const PARTITION_SUFFIX = /\bsales_part_[0-9a-f]{12}/g;
/** Tables of PostgreSQL and their columns, without timestamps. */
export const POSTGRES_TABLES: Record<string, string> = {
  "shop.sales": "sale_id, customer_id, product_id, quantity, sale_date, sale_amount, region",
  "shop.products": "product_id, name, category, price_from, price_to, sku",
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

/** Returns a checksum of the names and bytes of the files in a folder. */
export function folderChecksum(folder: string): string {
  const hash = createHash("sha256");
  for (const name of [...Deno.readDirSync(folder)].map((entry) => entry.name).sort()) {
    hash.update(`${name}\n`).update(Deno.readFileSync(`${folder}/${name}`));
  }
  return hash.digest("hex").slice(0, 16);
}

/** Returns a checksum of the rows of a query, regardless of order. */
async function queryChecksum(db: Postgres, query: string): Promise<string> {
  const lines = (await db.query(query)).map((row) =>
    JSON.stringify(row).replace(PARTITION_SUFFIX, "sales_part")
  );
  return checksum(lines.sort().join("\n"));
}

/** Returns the databases, tables and columns in ClickHouse, except its system databases. */
async function readClickHouseSchema(db: ClickHouse): Promise<unknown> {
  const others = `NOT IN (${SYSTEM_DATABASES.map((name) => `'${name}'`).join(", ")})`;
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

/**
 * Returns checksums of a run's datasets, of all tables, and of the schemas. Starts the home's embedded databases.
 *
 * @param importDate limits ClickHouse to this import date
 */
export async function readState(home: string, runId: string, importDate?: string): Promise<State> {
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
      state["PostgreSQL's migrations"] = await queryChecksum(
        db,
        "SELECT version, name, checksum FROM shop.schema_migrations",
      );
      state["what is in PostgreSQL"] = await queryChecksum(db, postgresSchema);
    });
    await withClickHouse({ url: databases.clickhouseUrl, stage: "test", signal }, async (db) => {
      const rows = await db.rows(
        "SELECT * EXCEPT imported_at FROM shop.sales_aggregates WHERE {date:String} IN ('', toString(import_date)) ORDER BY ALL",
        { date: importDate ?? "" },
      );
      if (importDate !== undefined && rows.length === 0) {
        throw new Error(`ClickHouse has no rows of ${importDate}`);
      }
      state["clickhouse shop.sales_aggregates"] = checksum(JSON.stringify(rows));
      state["ClickHouse's migrations"] = checksum(JSON.stringify(
        await db.rows("SELECT DISTINCT version, name, checksum FROM shop.schema_migrations ORDER BY ALL"),
      ));
      state["what is in ClickHouse"] = checksum(JSON.stringify(await readClickHouseSchema(db)));
    });
  } finally {
    await databases.close();
  }
  return state;
}

/** Removes from a stage record what differs per attempt: times, attempt number, applied migrations. */
function stripRecordTimes(text: string): string {
  const { started_at: _started, finished_at: _finished, seconds: _seconds, attempt: _attempt, ...record } =
    JSON.parse(text);
  if (record.stage === "report") delete record.facts.bytes; // the report shows times
  for (const database of ["postgres", "clickhouse"]) {
    if (record.stage === "migrate") delete record.facts[database].applied;
  }
  return JSON.stringify(record);
}

/** Removes the times from the table of stages in a report. */
export function stripReportTimes(page: string): string {
  const from = page.indexOf("<h3>Stages</h3>");
  const to = page.indexOf("</figure>", from);
  if (from < 0 || to < 0) throw new Error("the report has no table of stages");
  const rows = page.slice(from, to).split("<tr>").slice(1).map((row) =>
    row.split(/<t[hd]/).slice(1, 4).join("").replaceAll(/\s+/g, " ") // stage, rows in, rows out
  );
  return page.slice(0, from) + rows.join("\n") + page.slice(to);
}

/** Returns checksums of run.json, and of the stage records and the report without their times. */
export function readRecordState(home: string, runId: string): State {
  const run = `${home}/runs/${runId}`;
  const state: State = { "run.json": checksum(Deno.readFileSync(`${run}/run.json`)) };
  for (const { name } of Deno.readDirSync(`${run}/stages`)) {
    state[`stages/${name}`] = checksum(stripRecordTimes(Deno.readTextFileSync(`${run}/stages/${name}`)));
  }
  state["report/report.html"] = checksum(
    stripReportTimes(Deno.readTextFileSync(`${run}/report/report.html`)),
  );
  return state;
}

/** Returns {@linkcode readState} and {@linkcode readRecordState} together. */
export async function readFullState(home: string, runId: string): Promise<State> {
  return { ...await readState(home, runId), ...readRecordState(home, runId) };
}

/** Describes the findDifferences between two states. */
export function findDifferences(found: State, expected: State): string[] {
  return Object.keys(expected).filter((name) => found[name] !== expected[name]).map((name) =>
    `${name} differs`
  );
}
