/** What a command must not leave behind: processes, files, staging tables, locks, sessions. */
import { withClickHouse } from "../../lib/clickhouse/session.ts";
import { startEmbedded } from "../../lib/embedded/embedded.ts";
import { withPostgres } from "../../lib/postgres/session.ts";
import { processesOf, until } from "./command.ts";
import { DATASETS } from "./state.ts";

/** How long servers and sessions of a command that was killed may take to go. */
const PATIENCE_MS = 10_000;
/** Files that only a command or a server at work may have. */
const UNFINISHED = /\.(tmp|new)$|^embedded\/[a-z]+\/state\.json$/;
/** What an undisturbed home need not have: a log that has grown is put aside. */
const MAY_DIFFER = /^embedded\/[a-z]+\/server\.log\.old$/;
/** The engines keep their own files below these. */
const ENGINE_DATA = /^(postgres\/data|clickhouse)$/;

/** Every file and folder of a home but the engines' own data, sorted; folders end in a slash. */
export function listing(home: string, folder = ""): string[] {
  const found: string[] = [];
  for (const { name, isDirectory } of Deno.readDirSync(`${home}/${folder}`)) {
    const path = folder + name;
    found.push(isDirectory ? `${path}/` : path);
    if (isDirectory && !ENGINE_DATA.test(path)) found.push(...listing(home, `${path}/`));
  }
  return found.sort();
}

/** Files of a run's dataset that its manifest does not name. */
function strayParts(run: string, dataset: string): string[] {
  const manifest = JSON.parse(Deno.readTextFileSync(`${run}/${dataset}/manifest.json`));
  const known = new Set(manifest.parts.map((part: { name: string }) => part.name));
  for (const name of ["manifest.json", ...(dataset === "raw" ? ["defects.json", "products.csv"] : [])]) {
    known.add(name);
  }
  return [...Deno.readDirSync(`${run}/${dataset}`)].filter(({ name }) => !known.has(name))
    .map(({ name }) => `file ${dataset}/${name}`);
}

/**
 * What a command left beside its tables: processes, unfinished files, files that no manifest names. Nobody may use the databases.
 *
 * @param undisturbed the listing of a home that nothing happened to: this one must be the same
 */
export async function leftovers(
  home: string,
  runId: string,
  undisturbed?: readonly string[],
): Promise<string[]> {
  const found: string[] = [];
  if (!await until(() => processesOf(home).size === 0, PATIENCE_MS)) {
    found.push(...[...processesOf(home).values()].map((line) => `process ${line}`));
  }
  const files = listing(home);
  found.push(...files.filter((path) => UNFINISHED.test(path)).map((path) => `file ${path}`));
  for (const dataset of DATASETS) found.push(...strayParts(`${home}/runs/${runId}`, dataset));
  if (!undisturbed) return found;
  const [now, before] = [new Set(files), new Set(undisturbed)];
  for (const path of now.symmetricDifference(before)) {
    if (!MAY_DIFFER.test(path)) found.push(`${now.has(path) ? "unknown" : "missing"} ${path}`);
  }
  return [...new Set(found)];
}

/** What sessions leave in the server while they live, counted. */
const SESSIONS = `SELECT
  (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory') AS "advisory locks",
  (SELECT count(*) FROM pg_prepared_xacts) AS "prepared transactions",
  (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()) AS "other sessions"`;

/** Tables, locks, sessions and transactions that only a command at work may have. */
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
      let counts: [string, string | null][] = [];
      const quiet = async () => {
        counts = Object.entries(await db.one(SESSIONS));
        return counts.every(([, count]) => count === "0");
      };
      if (!await until(quiet, PATIENCE_MS)) {
        found.push(...counts.filter(([, count]) => count !== "0").map(([name, count]) => `${count} ${name}`));
      }
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
