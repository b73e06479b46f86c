/** Finds what a command must not leave behind: processes, files, staging tables, locks, sessions. */
import { withClickHouse } from "../../lib/clickhouse/session.ts";
import { startEmbedded } from "../../lib/embedded/embedded.ts";
import { withPostgres } from "../../lib/postgres/session.ts";
import { processesOf, until } from "./command.ts";
import { DATASETS } from "./state.ts";

/** Timeout for servers and sessions of a killed command to end. */
const END_TIMEOUT_MS = 10_000;
/** Files that exist only while a command or a server is running. */
const UNFINISHED = /\.(tmp|new)$|^embedded\/[a-z]+\/state\.json$/;
/** Files that may or may not exist: rotated logs. */
const OPTIONAL_FILES = /^embedded\/[a-z]+\/server\.log\.old$/;
/** Folders with the engines' own files. */
const ENGINE_DATA = /^(postgres\/data|clickhouse)$/;

/** Lists all files and folders of a home except the engines' data, sorted; folders end with a slash. */
export function listFiles(home: string, folder = ""): string[] {
  const found: string[] = [];
  for (const { name, isDirectory } of Deno.readDirSync(`${home}/${folder}`)) {
    const path = folder + name;
    found.push(isDirectory ? `${path}/` : path);
    if (isDirectory && !ENGINE_DATA.test(path)) found.push(...listFiles(home, `${path}/`));
  }
  return found.sort();
}

/** Returns files of a dataset that are not in its manifest. */
function findStrayParts(run: string, dataset: string): string[] {
  const manifest = JSON.parse(Deno.readTextFileSync(`${run}/${dataset}/manifest.json`));
  const known = new Set(manifest.parts.map((part: { name: string }) => part.name));
  for (const name of ["manifest.json", ...(dataset === "raw" ? ["defects.json", "products.csv"] : [])]) {
    known.add(name);
  }
  return [...Deno.readDirSync(`${run}/${dataset}`)].filter(({ name }) => !known.has(name))
    .map(({ name }) => `file ${dataset}/${name}`);
}

/**
 * Finds what a command left outside of its tables: processes, unfinished files, files that are not in a manifest. The
 * databases must not be in use.
 *
 * @param reference files of a home without faults, which this one must equal
 */
export async function findLeftovers(
  home: string,
  runId: string,
  reference?: readonly string[],
): Promise<string[]> {
  const found: string[] = [];
  if (!await until(() => processesOf(home).size === 0, END_TIMEOUT_MS)) {
    found.push(...[...processesOf(home).values()].map((line) => `process ${line}`));
  }
  const files = listFiles(home);
  found.push(...files.filter((path) => UNFINISHED.test(path)).map((path) => `file ${path}`));
  for (const dataset of DATASETS) found.push(...findStrayParts(`${home}/runs/${runId}`, dataset));
  if (!reference) return found;
  const [now, before] = [new Set(files), new Set(reference)];
  for (const path of now.symmetricDifference(before)) {
    if (!OPTIONAL_FILES.test(path)) found.push(`${now.has(path) ? "unknown" : "missing"} ${path}`);
  }
  return [...new Set(found)];
}

/** Counts what sessions hold in the server. */
const SESSION_COUNTS = `SELECT
  (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory') AS "advisory locks",
  (SELECT count(*) FROM pg_prepared_xacts) AS "prepared transactions",
  (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()) AS "other sessions"`;

/** Finds tables, locks, sessions and transactions that exist only while a command is running. */
export async function findStrayTables(home: string): Promise<string[]> {
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
      let counts: [string, string | null][] = [];
      const isIdle = async () => {
        counts = Object.entries(await db.one(SESSION_COUNTS));
        return counts.every(([, count]) => count === "0");
      };
      if (!await until(isIdle, END_TIMEOUT_MS)) {
        found.push(...counts.filter(([, count]) => count !== "0").map(([name, count]) => `${count} ${name}`));
      }
    });
    await withClickHouse({ url: databases.clickhouseUrl, stage: "test", signal }, async (db) => {
      const stray = await db.rows(
        "SELECT name FROM system.tables WHERE database = 'shop' AND name NOT IN ('sales_aggregates', 'products', 'schema_migrations')",
      );
      found.push(...stray.map(([name]) => `ClickHouse table ${name}`));
    });
  } finally {
    await databases.close();
  }
  return found;
}
