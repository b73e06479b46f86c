/** Concurrent readers of every table while load, aggregate and transfer run in a loop, and concurrent commands. */
import { type ClickHouse, withClickHouse } from "../../lib/clickhouse/session.ts";
import { startEmbedded } from "../../lib/embedded/embedded.ts";
import { type Postgres, withPostgres } from "../../lib/postgres/session.ts";
import { type Outcome, run } from "./command.ts";
import type { FaultResult } from "./result.ts";

const RUNS = ["one", "two"] as const;
/** Number of times that two commands start at once. */
const CONCURRENT_STARTS = 5;
const NEVER_ABORTED = new AbortController().signal;

const SALES = "(SELECT count(*) || ' ' || sum(sale_amount) FROM shop.sales)";
const PRODUCTS = "(SELECT count(*) || ' ' || sum(price_from + price_to) FROM shop.products)";
const REJECTED =
  "(SELECT string_agg(run_id || ' ' || rows || ' ' || lines, ', ' ORDER BY run_id) FROM (SELECT run_id, count(*) AS rows, sum(line) AS lines FROM shop.rejected_sales GROUP BY run_id) AS r)";
const LOADED =
  "(SELECT count(*) || ' ' || sum(raw_rows) || ' ' || (array_agg(run_id ORDER BY loaded_at DESC))[1] FROM shop.pipeline_runs)";
/** Queries of the readers in PostgreSQL, each by its own reader: a summary of all rows as one value. */
const QUERIES: Record<string, string> = {
  "shop.sales": SALES,
  "shop.products": PRODUCTS,
  // Always contains the rows of both runs.
  "shop.rejected_sales": REJECTED,
  "shop.pipeline_runs": LOADED,
  "all that load publishes, in one query,": [SALES, PRODUCTS, REJECTED, LOADED].join(" || ' | ' || "),
  "shop.sales_aggregates":
    "(SELECT count(*) || ' ' || sum(total_amount) || ' ' || min(run_id) || ' ' || max(run_id) FROM shop.sales_aggregates)",
};
const IMPORTED =
  "SELECT concat(toString(count()), ' ', toString(sum(total_amount)), ' ', min(run_id), ' ', max(run_id)) FROM shop.sales_aggregates";

/** A table and its summary query. */
interface Table {
  name: string;
  query(): Promise<string>;
}

/** The expected summary of each table, by run. */
type Expected = Record<typeof RUNS[number], string[]>;

interface Watched {
  seen: Set<string>;
  reads: number;
  longestMs: number;
}

/** Reads repeatedly until `done` returns true. */
async function watch({ query }: Table, done: () => boolean): Promise<Watched> {
  const watched: Watched = { seen: new Set(), reads: 0, longestMs: 0 };
  while (!done()) {
    const started = performance.now();
    watched.seen.add(await query());
    watched.longestMs = Math.max(watched.longestMs, performance.now() - started);
    watched.reads++;
    // Leaves CPU time to the command.
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return watched;
}

function env(home: string): Record<string, string> {
  return { SALESFLOW_HOME: home };
}

function publish(home: string, runId: string, last = "transfer"): Promise<Outcome> {
  return run(["run", "--run-id", runId, "--from", "load", "--to", last], env(home));
}

async function runOrThrow(work: Promise<Outcome>): Promise<void> {
  const { code, stderr } = await work;
  if (code !== 0) throw new Error(`a command without faults exited with ${code}: ${stderr}`);
}

/** Opens a connection for each table. */
function withTables<T>(
  url: string,
  names: readonly string[],
  work: (tables: Table[]) => Promise<T>,
): Promise<T> {
  const [name, ...rest] = names;
  if (name === undefined) return work([]);
  const read = async (db: Postgres) => (await db.one(`SELECT ${QUERIES[name]} AS seen`)).seen ?? "nothing";
  return withPostgres(
    { url, stage: "reader", signal: NEVER_ABORTED },
    (db) => withTables(url, rest, (tables) => work([{ name, query: () => read(db) }, ...tables])),
  );
}

function importedTable(db: ClickHouse): Table {
  return {
    name: "ClickHouse shop.sales_aggregates",
    query: async () => (await db.rows(IMPORTED))[0]![0]!,
  };
}

/** Two runs replace each other in the tables while every table is read; then two commands start at once. */
export async function readerFaults(home: string, rows: number, turns: number): Promise<FaultResult[]> {
  const databases = await startEmbedded(home);
  try {
    for (const [index, runId] of RUNS.entries()) {
      const sales = ["--rows", String(rows + index), "--seed", String(index + 1), "--as-of", "2026-11-24"];
      await runOrThrow(run(["run", "--run-id", runId, ...sales, "--to", "transfer"], env(home)));
    }
    const { postgresUrl, clickhouseUrl: url } = databases;
    return await withTables(
      postgresUrl,
      Object.keys(QUERIES),
      (tables) =>
        withClickHouse({ url, stage: "reader", signal: NEVER_ABORTED }, async (clickhouse) => {
          const all = [...tables, importedTable(clickhouse)];
          const expected = await readExpected(home, all);
          return [
            ...await tryReaders(home, all, expected, turns),
            await trySameRun(home, all, expected),
            await tryTwoRuns(home, all, expected),
          ];
        }),
    );
  } finally {
    await databases.close();
  }
}

function queryAll(tables: readonly Table[]): Promise<string[]> {
  return Promise.all(tables.map(({ query }) => query()));
}

async function readExpected(home: string, tables: readonly Table[]): Promise<Expected> {
  const expected: Expected = { one: [], two: [] };
  for (const runId of RUNS) {
    await runOrThrow(publish(home, runId));
    expected[runId] = await queryAll(tables);
  }
  return expected;
}

async function tryReaders(
  home: string,
  tables: readonly Table[],
  expected: Expected,
  turns: number,
): Promise<FaultResult[]> {
  let done = false;
  const watching = Promise.all(tables.map((table) => watch(table, () => done)));
  try {
    for (let turn = 0; turn < turns; turn++) await runOrThrow(publish(home, RUNS[turn % RUNS.length]!));
  } finally {
    done = true;
  }
  return (await watching).map(({ seen, reads, longestMs }, index) => {
    const states = new Set(RUNS.map((runId) => expected[runId][index]!));
    const unexpected = seen.difference(states);
    const wrong = unexpected.size > 0
      ? [`a reader saw ${[...unexpected].join(", ")}; expected were ${[...states].join(", ")}`]
      : [];
    if (seen.size < states.size) wrong.push("no reader saw the tables change");
    return {
      fault: `reading ${tables[index]!.name} while it is replaced ${turns} times`,
      tried: reads,
      outcome: `only consistent states; longest wait ${longestMs.toFixed(0)} ms`,
      wrong,
    };
  });
}

/** Returns a fault unless all tables belong to the same run. */
async function findMixes(
  tables: readonly Table[],
  expected: Expected,
  runs: readonly (keyof Expected)[],
): Promise<string[]> {
  const found = await queryAll(tables);
  if (runs.some((runId) => expected[runId].every((state, index) => state === found[index]))) return [];
  return [`a mix: ${tables.map(({ name }, index) => `${name} ${found[index]}`).join("; ")}`];
}

/** The same run twice at once: one of the commands is rejected. */
async function trySameRun(home: string, tables: readonly Table[], expected: Expected): Promise<FaultResult> {
  const wrong: string[] = [];
  let rejected = 0;
  for (let turn = 0; turn < CONCURRENT_STARTS; turn++) {
    const runId = RUNS[turn % RUNS.length]!;
    const both = await Promise.all([publish(home, runId), publish(home, runId)]);
    for (const { code, stderr } of both) {
      if (code === 75 && stderr.includes("Another salesflow command")) rejected++;
      else if (code !== 0) wrong.push(`it exited with ${code}: ${stderr.slice(-400)}`);
    }
    if (both.every(({ code }) => code !== 0)) wrong.push("neither succeeded");
    wrong.push(...await findMixes(tables, expected, [runId]));
  }
  // On a busy machine one may finish before the other starts, but not every time.
  if (rejected === 0) wrong.push("none was rejected");
  return {
    fault: "the same run twice at once",
    tried: CONCURRENT_STARTS,
    outcome: `one succeeded, the other was rejected with 75 (${rejected} times) or ran after it`,
    wrong,
  };
}

/** Two runs at once, from load to report: they take turns, and the tables end up with one of them. */
async function tryTwoRuns(home: string, tables: readonly Table[], expected: Expected): Promise<FaultResult> {
  const wrong: string[] = [];
  let rejected = 0;
  for (let turn = 0; turn < CONCURRENT_STARTS; turn++) {
    const both = await Promise.all(RUNS.map((runId) => publish(home, runId, "report")));
    for (const { code, stderr } of both) {
      if (code === 75) rejected++;
      else if (code !== 0) wrong.push(`it exited with ${code}: ${stderr.slice(-400)}`);
    }
    if (both.every(({ code }) => code !== 0)) wrong.push("neither succeeded");
    wrong.push(...await findMixes(tables, expected, RUNS));
  }
  return {
    fault: "two runs of different sales at once",
    tried: CONCURRENT_STARTS,
    outcome:
      `all tables belong to one run; the other ran before, or was rejected with 75 (${rejected} times)`,
    wrong,
  };
}
